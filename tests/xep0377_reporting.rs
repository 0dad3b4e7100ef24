//! XEP-0377: reports of spam and abuse.

use crate::client::Client;
use crate::world::{World, show};
use stube::config::Limit;
use stube::control::{Request, Response};

fn blocking(jid: &str, report: &str) -> String {
    format!(
        "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='{jid}'>{report}</item></block></iq>"
    )
}

fn report(inside: &str) -> String {
    format!("<report xmlns='urn:xmpp:reporting:1' reason='urn:xmpp:reporting:spam'>{inside}</report>")
}

#[track_caller]
fn lines(world: &mut World, request: Request) -> Vec<String> {
    match world.control(request) {
        Response::Done(lines) => lines,
        Response::Failed(why) => panic!("{why}"),
    }
}

#[track_caller]
fn list(world: &mut World) -> Vec<String> {
    lines(world, Request::ReportList)
}

#[track_caller]
fn shown(world: &mut World, number: u64) -> String {
    lines(world, Request::ReportShow { number }).join("\n")
}

fn is_blocked(world: &mut World, client: Client, jid: &str) -> bool {
    let list = "<iq type='get' id='l'><blocklist xmlns='urn:xmpp:blocking'/></iq>";
    show(&world.expect_result(client, list)).contains(&format!("jid='{jid}'"))
}

// §3
#[test]
fn the_server_says_that_it_takes_reports() {
    let mut world = World::new();
    let juliet = world.login("juliet", "chamber");
    let info =
        "<iq type='get' id='i' to='example.org'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>";
    assert!(show(&world.expect_result(juliet, info)).contains("<feature var='urn:xmpp:reporting:1'/>"));
}

// §4, §5, §6
#[test]
fn a_report_blocks_and_is_kept_for_the_operator() {
    let mut world = World::new();
    let juliet = world.login("juliet", "chamber");
    let report = report(
        "<stanza-id xmlns='urn:xmpp:sid:0' by='juliet@example.org' id='28482-98726'/>\
         <stanza-id xmlns='urn:xmpp:sid:0' by='juliet@example.org' id='38383-38018'/>\
         <text xml:lang='en'>Never came trouble\nto my house like this.</text><report-origin/>",
    );
    world.expect_result(juliet, &blocking("Romeo@Example.NET", &report));
    assert!(is_blocked(&mut world, juliet, "romeo@example.net"));
    let line = "1  2026-11-22T13:11:11Z  juliet@example.org about romeo@example.net: spam";
    assert_eq!(list(&mut world), [line]);
    let all = "number         1\n\
               time           2026-11-22T13:11:11Z\n\
               by             juliet@example.org\n\
               about          romeo@example.net\n\
               reason         urn:xmpp:reporting:spam\n\
               may be told    their server: yes, others: no\n\
               message        juliet@example.org 28482-98726\n\
               message        juliet@example.org 38383-38018\n\
               text           Never came trouble\n\
               text           to my house like this.";
    assert_eq!(shown(&mut world, 1), all);
    world.restart();
    assert_eq!(list(&mut world), [line]);
    assert_eq!(shown(&mut world, 1), all);
}

#[test]
fn the_result_promises_that_the_report_is_kept() {
    let mut world = World::new();
    let juliet = world.login("juliet", "chamber");
    world.hold_commits();
    world.send(juliet, &blocking("romeo@example.net", &report("")));
    assert!(world.answer(juliet, "b").is_none());
    world.commit();
    assert!(world.answer(juliet, "b").is_some());
    world.restart();
    assert_eq!(list(&mut world).len(), 1);
}

#[test]
fn the_reason_is_for_nobody_else() {
    let mut world = World::new();
    let (chamber, balcony) = (world.login("juliet", "chamber"), world.login("juliet", "balcony"));
    is_blocked(&mut world, balcony, "");
    world.expect_result(chamber, &blocking("romeo@example.net", &report("<text>secret</text>")));
    world.expect(
        balcony,
        "<iq type='set' id='*' to='juliet@example.org/balcony'><block xmlns='urn:xmpp:blocking'>\
         <item jid='romeo@example.net'/></block></iq>",
    );
    assert!(
        !show(
            &world
                .expect_result(chamber, "<iq type='get' id='l'><blocklist xmlns='urn:xmpp:blocking'/></iq>")
        )
        .contains("report")
    );
}

// §7: "When blocking multiple JIDs any abuse report only applies to a single JID."
#[test]
fn a_report_is_about_the_address_that_it_stands_with() {
    let mut world = World::new();
    let juliet = world.login("juliet", "chamber");
    let items = format!(
        "<item jid='a@example.net'>{}</item><item jid='b@example.net'/><item jid='c@example.net'>{}</item>",
        report(""),
        report("").replace("spam", "abuse")
    );
    world.expect_result(
        juliet,
        &format!("<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'>{items}</block></iq>"),
    );
    let lines = list(&mut world);
    assert_eq!(lines.len(), 2);
    assert!(lines[0].ends_with("about a@example.net: spam"), "{lines:?}");
    assert!(lines[1].ends_with("about c@example.net: abuse"), "{lines:?}");
}

// §6: "Servers that receive a blocking command with a report MUST block the JID or return an error just as they would if
// no report were present."
#[test]
fn a_report_that_is_none_does_not_stand_in_the_way_of_the_block() {
    let mut world = World::new();
    let juliet = world.login("juliet", "chamber");
    let good = report("");
    for (number, bad) in [
        good.replace(" reason='urn:xmpp:reporting:spam'", ""),
        good.replace("urn:xmpp:reporting:spam", ""),
        good.replace("urn:xmpp:reporting:spam", &"r".repeat(300)),
        good.replace("urn:xmpp:reporting:1", "urn:xmpp:reporting:0"),
        good.replace("report ", "complaint ").replace("/report", "/complaint"),
    ]
    .iter()
    .enumerate()
    {
        let jid = format!("romeo{number}@example.net");
        world.expect_result(juliet, &blocking(&jid, bad));
        assert!(is_blocked(&mut world, juliet, &jid), "{bad}");
    }
    assert!(list(&mut world).is_empty());
    // And a block that fails reports nobody.
    world.expect_error(juliet, &blocking("@", &good), "jid-malformed");
    assert!(list(&mut world).is_empty());
}

#[test]
fn unblocking_reports_nobody() {
    let mut world = World::new();
    let juliet = world.login("juliet", "chamber");
    let request = blocking("romeo@example.net", &report("")).replace("block ", "unblock ");
    world.expect_result(juliet, &request.replace("/block>", "/unblock>"));
    assert!(list(&mut world).is_empty());
}

#[test]
fn a_report_has_so_much_room() {
    let mut world = World::new();
    let juliet = world.login("juliet", "chamber");
    let ids = "<stanza-id xmlns='urn:xmpp:sid:0' by='juliet@example.org' id='1'/>".repeat(30)
        + "<stanza-id xmlns='urn:xmpp:sid:0' by='@' id='2'/><stanza-id xmlns='urn:xmpp:sid:0' id='3'/>";
    let report = report(&format!("{ids}<text>{}</text>", "é".repeat(4000)));
    world.expect_result(juliet, &blocking("romeo@example.net", &report));
    let shown = shown(&mut world, 1);
    assert_eq!(shown.matches("message  ").count(), 20);
    assert_eq!(shown.matches('é').count(), 2048);
}

#[test]
fn what_users_write_does_not_steer_a_terminal() {
    let mut world = World::new();
    let juliet = world.login("juliet", "chamber");
    world.expect_result(juliet, &blocking("romeo@example.net", &report("<text>a\u{9b}31mb\tc</text>")));
    assert!(shown(&mut world, 1).ends_with("a 31mb c"), "{}", shown(&mut world, 1));
}

#[test]
fn the_operator_removes_one_or_all() {
    let mut world = World::new();
    let juliet = world.login("juliet", "chamber");
    for name in ["a", "b", "c"] {
        world.expect_result(juliet, &blocking(&format!("{name}@example.net"), &report("")));
    }
    assert!(lines(&mut world, Request::ReportRemove { number: Some(2) }).is_empty());
    assert_eq!(list(&mut world).len(), 2);
    let unknown = || Response::Failed("there is no report 2; see stube reports list".into());
    assert_eq!(world.control(Request::ReportShow { number: 2 }), unknown());
    assert_eq!(world.control(Request::ReportRemove { number: Some(2) }), unknown());
    world.restart();
    assert_eq!(list(&mut world).len(), 2);
    lines(&mut world, Request::ReportRemove { number: None });
    assert!(list(&mut world).is_empty());
    world.restart();
    assert!(list(&mut world).is_empty());
}

#[test]
fn reports_have_so_much_room_and_the_oldest_gives_way() {
    let mut world = World::with(|config| config.limits.reports = Limit::of(60));
    let (juliet, nurse) = (world.login("juliet", "chamber"), world.login("nurse", "street"));
    world.expect_result(nurse, &blocking("first@example.net", &report("")));
    for number in 0..70 {
        world.expect_result(juliet, &blocking(&format!("a{number}@example.net"), &report("")));
    }
    // Nobody's many reports take the room of others'.
    let lines = list(&mut world);
    assert_eq!(lines.len(), 51);
    assert!(lines[0].contains("about first@example.net"));
    assert!(lines[1].contains("about a20@example.net"));
    for number in 0..20 {
        world.expect_result(nurse, &blocking(&format!("b{number}@example.net"), &report("")));
    }
    let lines = list(&mut world);
    assert_eq!(lines.len(), 60);
    assert!(lines[0].contains("about a30@example.net"), "{}", lines[0]);
    world.restart();
    assert_eq!(list(&mut world), lines);
}

#[test]
fn reports_outlive_the_account_that_made_them() {
    let mut world = World::new();
    let juliet = world.login("juliet", "chamber");
    world.expect_result(juliet, &blocking("romeo@example.net", &report("")));
    world.control(Request::UserRemove { address: "juliet@example.org".into() });
    assert_eq!(list(&mut world).len(), 1);
}
