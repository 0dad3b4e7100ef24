//! Arbitrary bytes from a client, before and after its login, in whatever chunks they come: the server does not
//! panic, writes only XML that our own reader takes, and goes on serving others.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stube_fuzz::world::World;

fuzz_target!(|data: &[u8]| {
    let Some((&how, data)) = data.split_first() else { return };
    let mut world = World::new();
    let juliet = world.online("juliet", "balcony");
    // How far the client has come before it goes mad.
    let client = match how % 4 {
        0 => world.connect(),
        1 => world.connect_tls(),
        2 => {
            let client = world.connect_tls();
            world.open_stream(client);
            client
        }
        _ => {
            world.friends("romeo", "juliet");
            world.online("romeo", "orchard")
        }
    };
    let size = 1 + usize::from(how / 4);
    for chunk in data.chunks(size) {
        world.send_bytes(client, chunk);
    }
    world.advance(3_600_000);
    world.clear(juliet);
    let pong = world.ask(juliet, "<iq type='get' id='still-there' to='example.org'><ping xmlns='urn:xmpp:ping'/></iq>");
    assert_eq!(pong.get_attr("type"), Some("result"));
    world.cut(client);
});
