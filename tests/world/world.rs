//! A server without sockets, its clients, and the rest of the network.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use stube::config::Config;
use stube::control::{Request, Response};
use stube::core::{ControlId, Core, DeriveId, DeriveJob, Effect, Event};
use stube::stanza::Stanza;
use stube::store::{Batch, Committer, Opened, Options, Reader, Store};
use stube::stream::TlsInfo;
use stube::stream::c2s::C2s;
use stube::xml::{Element, Header, Node};

use crate::client::{Client, Wire, parse};
use crate::faulty::{Ending, Faulty};

pub const START: u64 = 1_795_353_071_000; // 2026-11-22T13:11:11Z

/// The server `example.org`, and everyone who talks to it.
pub struct World {
    pub core: Core,
    config: Arc<Config>,
    pub disk: Faulty,
    committer: Committer,
    reader: Reader,
    pub now: u64,
    connections: Vec<Option<Connection>>,
    /// What was sent to other domains.
    remote: VecDeque<Element>,
    /// Batches that are not on disk yet, while commits are held.
    queued: Vec<Batch>,
    held: bool,
    /// The disk has refused, and the server knows.
    stalled: bool,
    /// The server has ended in the midst of something: what is on the disk. Nothing happens any more.
    left: Option<Vec<u8>>,
    /// Password work that is not done yet, while it is held.
    work: Option<Vec<(DeriveId, DeriveJob)>>,
    pub replies: Vec<(ControlId, Response)>,
    /// Orders of administrators to stop or restart.
    pub stops: Vec<bool>,
    chance: u64,
    /// How often the server has gone on with what it had put off.
    turns: usize,
    /// Bytes that the server had ready for one client at one time, at most.
    largest_piece: usize,
    /// Bytes that a client's socket takes at one time.
    pub room: usize,
}

struct Connection {
    stream: C2s,
    wire: Wire,
    /// Whether the client takes what is written to it.
    takes: bool,
}

impl World {
    /// A server with registration closed, and cheap passwords.
    pub fn new() -> World {
        World::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Config)) -> World {
        let mut config = Config::for_domains(&["example.org"]);
        config.accounts.scram_iterations = 1;
        change(&mut config);
        let disk = Faulty::new();
        let opened = open(&disk);
        let config = Arc::new(config);
        let core = core(&config, opened.reader.clone(), START, 1);
        World {
            core,
            config,
            disk,
            committer: opened.committer,
            reader: opened.reader,
            now: START,
            connections: Vec::new(),
            remote: VecDeque::new(),
            queued: Vec::new(),
            held: false,
            stalled: false,
            left: None,
            work: None,
            replies: Vec::new(),
            stops: Vec::new(),
            chance: 1,
            turns: 0,
            largest_piece: 0,
            room: usize::MAX,
        }
    }

    /// A world in which other domains can be reached.
    pub fn federated() -> World {
        let mut world = World::new();
        world.core.federated = true;
        world
    }

    /// The server dies and starts again: what was not committed is gone, and so is every connection.
    pub fn restart(&mut self) {
        self.queued.clear();
        (self.held, self.stalled) = (false, false);
        self.connections.iter_mut().for_each(|connection| *connection = None);
        self.chance += 1;
        let federated = self.core.federated;
        self.core = core(&self.config, self.reader.clone(), self.now, self.chance);
        self.core.federated = federated;
    }

    /// The server ends now, in the midst of what it is doing.
    pub fn end(&mut self, ending: Ending) {
        self.left = Some(self.disk.after(ending));
    }

    /// The server ends when it has changed or synced the disk so many times.
    pub fn end_after(&mut self, steps: u64, ending: Ending) {
        self.disk.end_after(steps, ending);
    }

    pub fn has_ended(&self) -> bool {
        self.left.is_some()
    }

    /// Starts the server on what it has left.
    pub fn start_again(&mut self) {
        let left = self.left.take().expect("it has ended");
        self.disk = Faulty::holding(left);
        let opened = open(&self.disk);
        (self.committer, self.reader) = (opened.committer, opened.reader);
        self.restart();
    }

    /// From here on nothing reaches the disk until [`World::commit`].
    pub fn hold_commits(&mut self) {
        self.held = true;
    }

    pub fn commit(&mut self) {
        self.held = false;
        self.settle();
    }

    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Whether the disk has refused, as the server knows, and not worked since.
    pub fn is_stalled(&self) -> bool {
        self.stalled
    }

    /// Whether all that the server has changed is on the disk.
    pub fn is_committed(&self) -> bool {
        self.queued.is_empty() && !self.has_ended()
    }

    /// From here on no password is looked at until [`World::do_work`].
    pub fn hold_work(&mut self) {
        self.work = Some(Vec::new());
    }

    pub fn held_work(&self) -> usize {
        self.work.as_ref().map_or(0, Vec::len)
    }

    pub fn do_work(&mut self) {
        for (id, job) in self.work.take().unwrap_or_default() {
            self.handle(Event::Derived(id, job.run()));
        }
    }

    /// How many rows a table has on disk.
    pub fn rows(&self, table: stube::store::Table) -> usize {
        self.table(table).len()
    }

    /// What a table has on disk.
    pub fn table(&self, table: stube::store::Table) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut rows = Vec::new();
        let collect = |key: &[u8], value: &[u8]| {
            rows.push((key.to_vec(), value.to_vec()));
            std::ops::ControlFlow::Continue(())
        };
        self.reader.scan(table, &[], &[], collect).expect("a table");
        rows
    }

    /// The same server with another configuration, as after a reload.
    pub fn configure(&mut self, change: impl FnOnce(&mut Config)) {
        let mut config = Config::clone(&self.config);
        change(&mut config);
        self.config = Arc::new(config.clone());
        self.handle(Event::Reload(Box::new(config)));
    }

    /// Makes an account, as the operator does.
    pub fn account(&mut self, name: &str) {
        let address = format!("{name}@example.org");
        self.control(Request::UserAdd { address, password: format!("{name}'s password") });
    }

    /// Lets an account log in no more, or again.
    pub fn disable(&mut self, name: &str, disabled: bool) {
        let jid = stube::jid::Jid::parse(&format!("{name}@example.org")).expect("a name");
        self.core.set_disabled(&jid, disabled).expect("an account");
        self.handle(Event::Tick);
    }

    pub fn control(&mut self, request: Request) -> Response {
        self.core.control(request, 1);
        self.settle();
        self.replies.pop().map(|(_, response)| response).unwrap_or(Response::Failed("no answer yet".into()))
    }

    /// A stream that `name` has logged in to, without a resource; the account is made if there is none.
    pub fn authenticate(&mut self, name: &str) -> Client {
        if !self.core.account_exists(&stube::jid::Jid::parse(&format!("{name}@example.org")).expect("a name"))
        {
            self.account(name);
        }
        let client = self.connect_tls();
        self.open_stream(client);
        self.plain(client, name, &format!("{name}'s password"));
        self.expect(client, "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
        self.open_stream(client);
        client
    }

    /// A session of `name@example.org/resource`, with an account made if there is none; not available, roster not
    /// asked for.
    pub fn login(&mut self, name: &str, resource: &str) -> Client {
        let client = self.authenticate(name);
        self.bind(client, resource);
        client
    }

    /// The same with more attributes on the header of the stream.
    pub fn login_with(&mut self, name: &str, resource: &str, attributes: &str) -> Client {
        self.account(name);
        let client = self.connect_tls();
        self.open_stream(client);
        self.plain(client, name, &format!("{name}'s password"));
        self.send(client, &crate::client::HEADER.replace("to=", &format!("{attributes} to=")));
        self.clear(client);
        self.bind(client, resource);
        client
    }

    fn bind(&mut self, client: Client, resource: &str) {
        self.expect_result(
            client,
            &format!("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{resource}</resource></bind></iq>"),
        );
    }

    /// A session that is available and has its roster, as a real client's is soon after login.
    pub fn online(&mut self, name: &str, resource: &str) -> Client {
        let client = self.login(name, resource);
        self.ask(client, "<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>");
        self.send(client, "<presence/>");
        self.clear(client);
        client
    }

    /// The same, with everything that it is told in its first moment.
    pub fn online_with_everything(&mut self, name: &str, resource: &str) -> Vec<Element> {
        let client = self.login(name, resource);
        self.send(client, "<presence/>");
        self.drain(client)
    }

    /// Two accounts that are each other's contact.
    pub fn friends(&mut self, one: &str, other: &str) {
        for (from, to) in [(one, other), (other, one)] {
            let client = self.login(from, "friends");
            self.send(client, &format!("<presence type='subscribed' to='{to}@example.org'/>"));
            self.send(client, &format!("<presence type='subscribe' to='{to}@example.org'/>"));
            self.close(client);
        }
        let client = self.login(one, "friends");
        self.send(client, &format!("<presence type='subscribe' to='{other}@example.org'/>"));
        self.close(client);
    }

    pub fn connect(&mut self) -> Client {
        self.connect_from(IpAddr::V4(Ipv4Addr::LOCALHOST), None)
    }

    /// Direct TLS.
    pub fn connect_tls(&mut self) -> Client {
        self.connect_from(IpAddr::V4(Ipv4Addr::LOCALHOST), Some(TlsInfo::default()))
    }

    pub fn connect_from(&mut self, address: IpAddr, tls: Option<TlsInfo>) -> Client {
        self.try_connect(address, tls).expect("a connection")
    }

    pub fn try_connect(&mut self, address: IpAddr, tls: Option<TlsInfo>) -> Result<Client, &'static str> {
        let stream = C2s::open(&mut self.core, address, tls).map_err(|error| error.name())?;
        self.connections.push(Some(Connection { stream, wire: Wire::new(), takes: true }));
        Ok(Client(self.connections.len() - 1))
    }

    /// Sends a header and swallows the answer; the features are kept for [`World::features`].
    pub fn open_stream(&mut self, client: Client) -> Element {
        self.connection(client).wire.restart();
        self.send(client, crate::client::HEADER);
        let features = self.receive(client);
        assert_eq!(features.name, "features", "{features:?}");
        features
    }

    pub fn plain(&mut self, client: Client, name: &str, password: &str) {
        use base64::Engine;
        let text = base64::engine::general_purpose::STANDARD.encode(format!("\0{name}\0{password}"));
        self.send(
            client,
            &format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{text}</auth>"),
        );
    }

    /// STARTTLS has been agreed on: the handshake, which needs no bytes here.
    pub fn secure(&mut self, client: Client, tls: TlsInfo) {
        assert!(self.stream(client).wants_tls(), "the server does not expect a handshake");
        let World { core, connections, .. } = self;
        let connection = connections[client.0].as_mut().expect("a connection");
        connection.stream.secured(core, tls);
        connection.wire.restart();
    }

    pub fn send(&mut self, client: Client, xml: &str) {
        self.send_bytes(client, xml.as_bytes());
    }

    /// The same, and nothing follows from it yet.
    pub fn send_unsettled(&mut self, client: Client, xml: &str) {
        let World { core, connections, .. } = self;
        if let Some(connection) = connections[client.0].as_mut() {
            connection.stream.input(core, xml.as_bytes());
        }
    }

    pub fn send_bytes(&mut self, client: Client, bytes: &[u8]) {
        let World { core, connections, left, .. } = self;
        if let Some(connection) = connections[client.0].as_mut()
            && left.is_none()
        {
            connection.stream.input(core, bytes);
        }
        self.settle();
    }

    /// The next thing that a client gets.
    pub fn receive(&mut self, client: Client) -> Element {
        self.try_receive(client).expect("something for the client")
    }

    pub fn try_receive(&mut self, client: Client) -> Option<Element> {
        self.connection(client).wire.received.pop_front()
    }

    /// Everything that has come for a client.
    pub fn drain(&mut self, client: Client) -> Vec<Element> {
        self.connection(client).wire.received.drain(..).collect()
    }

    pub fn clear(&mut self, client: Client) {
        self.drain(client);
    }

    /// The next thing must be this, attributes in any order; a value or a text that is `*` in `xml` may be anything. The id
    /// that a message has in the archive need not be said.
    #[track_caller]
    pub fn expect(&mut self, client: Client, xml: &str) {
        let got = self.try_receive(client);
        let want = parse(xml);
        match got {
            Some(got) if fits(&want, &got) => {}
            got => panic!("wanted {xml}\ngot    {}", got.map_or("nothing".into(), |got| show(&got))),
        }
    }

    /// These must have come, in any order, and nothing else.
    #[track_caller]
    pub fn expect_all(&mut self, client: Client, all: &[&str]) {
        let mut got = self.drain(client);
        for xml in all {
            let want = parse(xml);
            let Some(found) = got.iter().position(|got| fits(&want, got)) else {
                panic!("wanted {xml}\ngot    {:#?}", got.iter().map(show).collect::<Vec<_>>());
            };
            got.remove(found);
        }
        assert!(got.is_empty(), "also got {:#?}", got.iter().map(show).collect::<Vec<_>>());
    }

    #[track_caller]
    pub fn expect_nothing(&mut self, client: Client) {
        let got = self.drain(client);
        assert!(got.is_empty(), "got {:#?}", got.iter().map(show).collect::<Vec<_>>());
    }

    /// Sends a request and takes its answer out of what comes.
    #[track_caller]
    pub fn ask(&mut self, client: Client, request: &str) -> Element {
        let id = parse(request).get_attr("id").expect("an id").to_owned();
        self.send(client, request);
        self.answer(client, &id).unwrap_or_else(|| panic!("no answer to {request}"))
    }

    /// Takes the first of its kind out of what has come.
    pub fn pick(&mut self, client: Client, wanted: impl Fn(&Element) -> bool) -> Option<Element> {
        let received = &mut self.connection(client).wire.received;
        let at = received.iter().position(wanted)?;
        received.remove(at)
    }

    /// Takes the answer to the request with this id out of what has come.
    pub fn answer(&mut self, client: Client, id: &str) -> Option<Element> {
        let is_answer = |element: &Element| {
            element.name == "iq"
                && element.get_attr("id") == Some(id)
                && matches!(element.get_attr("type"), Some("result" | "error"))
        };
        self.pick(client, is_answer)
    }

    /// The request must fail with this condition.
    #[track_caller]
    pub fn expect_error(&mut self, client: Client, request: &str, condition: &str) {
        let answer = self.ask(client, request);
        assert_eq!(condition_of(&answer).as_deref(), Some(condition), "{}", show(&answer));
    }

    #[track_caller]
    pub fn expect_result(&mut self, client: Client, request: &str) -> Element {
        let answer = self.ask(client, request);
        assert_eq!(answer.get_attr("type"), Some("result"), "{}", show(&answer));
        answer
    }

    /// The next thing must be an error with this condition.
    #[track_caller]
    pub fn expect_bounce(&mut self, client: Client, condition: &str) {
        let got = self.receive(client);
        assert_eq!(got.get_attr("type"), Some("error"), "{}", show(&got));
        assert_eq!(condition_of(&got).as_deref(), Some(condition), "{}", show(&got));
    }

    /// The stream must have ended with this error as its last words.
    #[track_caller]
    pub fn expect_stream_error(&mut self, client: Client, condition: &str) {
        let last = self.drain(client).pop().expect("a stream error");
        assert_eq!(last.name, "error", "{}", show(&last));
        let names: Vec<_> = last.children().map(|child| child.name.as_str()).collect();
        assert_eq!(names.first(), Some(&condition), "{}", show(&last));
        assert!(self.connection(client).wire.closed, "the stream is still open");
        assert!(self.stream(client).finished());
    }

    /// The stream ended in good order.
    pub fn is_closed(&mut self, client: Client) -> bool {
        self.connection(client).wire.closed
    }

    /// The client says good-bye, and goes.
    pub fn close(&mut self, client: Client) {
        self.send(client, "</stream:stream>");
        self.cut(client);
    }

    /// The client stops reading: what is written to it stays with the server.
    pub fn stop_reading(&mut self, client: Client) {
        self.connection(client).takes = false;
    }

    pub fn go_on_reading(&mut self, client: Client) {
        self.connection(client).takes = true;
        self.settle();
    }

    /// What the server's header said, if one has come.
    pub fn header(&mut self, client: Client) -> Option<Header> {
        self.connection(client).wire.header.clone()
    }

    /// The connection is gone, without a word.
    pub fn cut(&mut self, client: Client) {
        if let Some(connection) = self.connections[client.0].take() {
            connection.stream.closed(&mut self.core);
        }
        self.settle();
    }

    pub fn is_reading(&mut self, client: Client) -> bool {
        self.connections[client.0].as_ref().is_some_and(|connection| connection.stream.reading(&self.core))
    }

    /// Time passes.
    pub fn advance(&mut self, millis: u64) {
        self.now += millis;
        self.core.set_now(self.now);
        if self.core.next_tick() <= self.now {
            self.core.handle(Event::Tick);
        }
        for connection in self.connections.iter_mut().flatten() {
            if connection.stream.deadline() <= self.now {
                connection.stream.pump(&mut self.core);
            }
        }
        self.settle();
    }

    /// A stanza comes from another domain.
    #[expect(clippy::wrong_self_convention, reason = "it says where the stanza comes from")]
    pub fn from_remote(&mut self, xml: &str) {
        let stanza = try_stanza(xml).expect("a stanza");
        self.core.handle(Event::Remote(stanza));
        self.settle();
    }

    /// What has been sent to other domains.
    #[expect(clippy::wrong_self_convention, reason = "it says where the stanzas went")]
    pub fn to_remote(&mut self) -> Vec<Element> {
        self.remote.drain(..).collect()
    }

    /// The next thing for another domain must be this.
    #[track_caller]
    pub fn expect_remote(&mut self, xml: &str) {
        let got = self.remote.pop_front();
        match got {
            Some(got) if fits(&parse(xml), &got) => {}
            got => panic!("wanted {xml}\ngot    {}", got.map_or("nothing".into(), |got| show(&got))),
        }
    }

    pub fn handle(&mut self, event: Event) {
        self.core.handle(event);
        self.settle();
    }

    /// Runs everything to its end.
    pub fn settle(&mut self) {
        for _ in 0..100_000 {
            if self.has_ended() {
                return;
            }
            let woken = self.core.take_woken();
            for link in &woken {
                if let Some(connection) =
                    self.connections.iter_mut().flatten().find(|c| c.stream.link() == *link)
                {
                    connection.stream.pump(&mut self.core);
                }
            }
            let mut moved = !woken.is_empty();
            for connection in self.connections.iter_mut().flatten().filter(|connection| connection.takes) {
                let mut bytes = connection.stream.output(&mut self.core);
                self.largest_piece = self.largest_piece.max(bytes.len());
                moved |= !bytes.is_empty();
                if bytes.len() > self.room {
                    connection.stream.give_back(bytes.split_off(self.room));
                }
                connection.wire.take(&bytes);
            }
            let effects = self.core.take_effects();
            moved |= !effects.is_empty();
            for effect in effects {
                self.carry_out(effect);
            }
            // What the server has put off until everyone else has had a turn.
            if self.core.next_tick() <= self.core.now() {
                self.core.handle(Event::Tick);
                self.turns += 1;
                moved = true;
            }
            if !self.held && !self.queued.is_empty() {
                self.write_out();
                moved = true;
            }
            if !moved {
                return;
            }
        }
        panic!("the world never comes to rest");
    }

    /// What the store's thread does.
    fn write_out(&mut self) {
        let outcome = self.committer.apply(&self.queued);
        self.left = self.disk.take_image();
        if self.has_ended() {
            return;
        }
        match outcome {
            Ok(()) => {
                if std::mem::take(&mut self.stalled) {
                    self.core.handle(Event::StoreResumed);
                }
                let last = self.queued.drain(..).next_back().expect("a batch");
                self.core.handle(Event::Committed(last.seq));
            }
            Err(reason) => {
                self.held = true;
                if !std::mem::replace(&mut self.stalled, true) {
                    self.core.handle(Event::StoreStalled(reason));
                }
            }
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Store(batch) => self.queued.push(batch),
            Effect::Derive(id, job) => match &mut self.work {
                Some(work) => work.push((id, job)),
                None => self.core.handle(Event::Derived(id, job.run())),
            },
            Effect::Remote(stanza) => self.remote.push_back(parse(&stanza.to_string())),
            Effect::ControlReply(id, response) => self.replies.push((id, response)),
            Effect::Stop { restart } => self.stops.push(restart),
        }
    }

    fn connection(&mut self, client: Client) -> &mut Connection {
        self.connections[client.0].as_mut().expect("the client is connected")
    }

    pub fn turns(&self) -> usize {
        self.turns
    }

    pub fn largest_piece(&self) -> usize {
        self.largest_piece
    }

    pub fn stream(&mut self, client: Client) -> &mut C2s {
        &mut self.connection(client).stream
    }
}

fn open(disk: &Faulty) -> Opened {
    Store::open_backend(disk.clone(), Options::new([42; 32])).expect("a database in memory")
}

fn core(config: &Arc<Config>, reader: Reader, now: u64, seed: u64) -> Core {
    // A small generator (xorshift): a test's chance is the same in every run.
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let random = move |bytes: &mut [u8]| {
        for byte in bytes {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *byte = state as u8;
        }
    };
    Core::new(Arc::clone(config), reader, Box::new(random), now).expect("a database with a secret")
}

/// `None`: not a stanza that a stream would give.
pub fn try_stanza(xml: &str) -> Option<Stanza> {
    Stanza::from_bytes(&parse(xml).to_bytes(stube::xml::ns::CLIENT))
}

/// The condition of a stanza error.
pub fn condition_of(stanza: &Element) -> Option<String> {
    let error = stanza.find("error", stube::xml::ns::CLIENT)?;
    error
        .children()
        .find(|child| child.ns == stube::xml::ns::STANZAS && child.name != "text")
        .map(|c| c.name.clone())
}

pub fn show(element: &Element) -> String {
    String::from_utf8_lossy(&element.to_bytes(stube::xml::ns::CLIENT)).into_owned()
}

/// Whether `got` is what `want` says; `*` stands for any value of an attribute or any text.
pub fn fits(want: &Element, got: &Element) -> bool {
    if want.name == "message" && want.find("stanza-id", stube::xml::ns::STANZA_ID).is_none() {
        return fits_exactly(want, &without_stanza_id(got));
    }
    fits_exactly(want, got)
}

/// A message as it was before it was archived.
pub fn without_stanza_id(message: &Element) -> Element {
    let mut message = message.clone();
    let is_ours = |child: &Element| {
        child.is("stanza-id", stube::xml::ns::STANZA_ID)
            && child.get_attr("by").is_some_and(|by| by.ends_with("@example.org"))
    };
    message.children.retain(|child| !matches!(child, Node::Element(child) if is_ours(child)));
    message
}

fn fits_exactly(want: &Element, got: &Element) -> bool {
    let value = |want: &str, got: &str| want == "*" || want == got;
    want.name == got.name
        && want.ns == got.ns
        && want.attrs.len() == got.attrs.len()
        && want.attrs.iter().all(|(name, want)| got.get_attr(name).is_some_and(|got| value(want, got)))
        && want.children.len() == got.children.len()
        && want.children.iter().zip(&got.children).all(|pair| match pair {
            (Node::Element(want), Node::Element(got)) => fits_exactly(want, got),
            (Node::Text(want), Node::Text(got)) => value(want, got),
            _ => false,
        })
}
