//! What the command line and a running server say to each other on the control socket, as pure data.
//!
//! The socket, `control.sock` in the data directory, is open to the server's user alone (0600). A client connects, sends one
//! request, a line, and reads the answer up to its end, when the server closes. The fields of a line are separated by tabs;
//! neither addresses nor passwords can hold one, nor a line feed, because no control character survives their preparation.
//!
//! ```text
//! user-list                                        (request)
//! line⇥juliet@example.org                          (answer: any number of lines for people,
//! done                                               then "done" or "failed⇥why")
//! ```

use std::fmt;

/// The longest request in bytes, its line feed included; a server need not read on.
pub const MAX_REQUEST: usize = 8192;

/// Something to do, in the words of the command line. Addresses are bare JIDs.
#[derive(Clone, PartialEq, Eq)]
pub enum Request {
    UserAdd {
        address: String,
        password: String,
    },
    UserPasswd {
        address: String,
        password: String,
    },
    UserRemove {
        address: String,
    },
    UserClients {
        address: String,
    },
    /// All clients, or the one of this name.
    UserRevoke {
        address: String,
        client: Option<String>,
    },
    UserList,
    ReportList,
    ReportShow {
        number: u64,
    },
    /// Without a number, all of them.
    ReportRemove {
        number: Option<u64>,
    },
    RoomList,
    RoomShow {
        address: String,
    },
    RoomDelete {
        address: String,
    },
    Status,
}

/// What came of it: lines to print, or why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    Done(Vec<String>),
    Failed(String),
}

impl Request {
    pub fn encode(&self) -> Vec<u8> {
        let fields: &[&str] = match self {
            Request::UserAdd { address, password } => &["user-add", address, password],
            Request::UserPasswd { address, password } => &["user-passwd", address, password],
            Request::UserRemove { address } => &["user-remove", address],
            Request::UserClients { address } => &["user-clients", address],
            Request::UserRevoke { address, client: None } => &["user-revoke", address],
            Request::UserRevoke { address, client: Some(client) } => &["user-revoke", address, client],
            Request::UserList => &["user-list"],
            Request::ReportList => &["report-list"],
            Request::ReportShow { number } => &["report-show", &number.to_string()],
            Request::ReportRemove { number: Some(number) } => &["report-remove", &number.to_string()],
            Request::ReportRemove { number: None } => &["report-clear"],
            Request::RoomList => &["room-list"],
            Request::RoomShow { address } => &["room-show", address],
            Request::RoomDelete { address } => &["room-delete", address],
            Request::Status => &["status"],
        };
        line(fields).into_bytes()
    }

    /// Reads a request, its line feed at the end.
    pub fn decode(bytes: &[u8]) -> Option<Request> {
        let line = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
        if bytes.len() > MAX_REQUEST || line.contains('\n') {
            return None;
        }
        let mut fields = line.split('\t');
        let request = match fields.next()? {
            "user-add" => Request::UserAdd { address: text(&mut fields)?, password: text(&mut fields)? },
            "user-passwd" => {
                Request::UserPasswd { address: text(&mut fields)?, password: text(&mut fields)? }
            }
            "user-remove" => Request::UserRemove { address: text(&mut fields)? },
            "user-clients" => Request::UserClients { address: text(&mut fields)? },
            "user-revoke" => Request::UserRevoke {
                address: text(&mut fields)?,
                client: match fields.next() {
                    Some("") => return None,
                    client => client.map(str::to_owned),
                },
            },
            "user-list" => Request::UserList,
            "report-list" => Request::ReportList,
            "report-show" => Request::ReportShow { number: fields.next()?.parse().ok()? },
            "report-remove" => Request::ReportRemove { number: Some(fields.next()?.parse().ok()?) },
            "report-clear" => Request::ReportRemove { number: None },
            "room-list" => Request::RoomList,
            "room-show" => Request::RoomShow { address: text(&mut fields)? },
            "room-delete" => Request::RoomDelete { address: text(&mut fields)? },
            "status" => Request::Status,
            _ => return None,
        };
        fields.next().is_none().then_some(request)
    }
}

impl Response {
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Response::Done(lines) => {
                let lines = lines.iter().map(|text| line(&["line", text]));
                lines.chain([line(&["done"])]).collect::<String>().into_bytes()
            }
            Response::Failed(why) => line(&["failed", why]).into_bytes(),
        }
    }

    /// Reads a whole answer; `None` if the server ended in the middle of it.
    pub fn decode(bytes: &[u8]) -> Option<Response> {
        let answer = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
        let (lines, last) = answer.rsplit_once('\n').unwrap_or(("", answer));
        if let Some(why) = last.strip_prefix("failed\t") {
            return lines.is_empty().then(|| Response::Failed(why.to_owned()));
        }
        let lines = lines
            .lines()
            .map(|line| line.strip_prefix("line\t").map(str::to_owned))
            .collect::<Option<_>>()?;
        (last == "done").then_some(Response::Done(lines))
    }
}

fn text<'a>(fields: &mut impl Iterator<Item = &'a str>) -> Option<String> {
    fields.next().filter(|field| !field.is_empty()).map(str::to_owned)
}

/// A line of fields; whatever could be taken for the end of one becomes a space.
fn line(fields: &[&str]) -> String {
    let fields: Vec<String> =
        fields.iter().map(|field| field.replace(|c: char| c.is_control(), " ")).collect();
    fields.join("\t") + "\n"
}

// A request can hold a password, which no log may ever show.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Request::UserAdd { address, .. } => write!(f, "UserAdd({address})"),
            Request::UserPasswd { address, .. } => write!(f, "UserPasswd({address})"),
            Request::UserRemove { address } => write!(f, "UserRemove({address})"),
            Request::UserClients { address } => write!(f, "UserClients({address})"),
            Request::UserRevoke { address, .. } => write!(f, "UserRevoke({address})"),
            Request::UserList => f.write_str("UserList"),
            Request::ReportList => f.write_str("ReportList"),
            Request::ReportShow { number } => write!(f, "ReportShow({number})"),
            Request::ReportRemove { number } => write!(f, "ReportRemove({number:?})"),
            Request::RoomList => f.write_str("RoomList"),
            Request::RoomShow { address } => write!(f, "RoomShow({address})"),
            Request::RoomDelete { address } => write!(f, "RoomDelete({address})"),
            Request::Status => f.write_str("Status"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_arrive_as_they_were_sent() {
        let address = || "jülia@example.org".to_owned();
        let password = || "a password, with spaces".to_owned();
        for request in [
            Request::UserAdd { address: address(), password: password() },
            Request::UserPasswd { address: address(), password: password() },
            Request::UserRemove { address: address() },
            Request::UserClients { address: address() },
            Request::UserRevoke { address: address(), client: None },
            Request::UserRevoke { address: address(), client: Some("1f2e3d4c".into()) },
            Request::UserList,
            Request::ReportList,
            Request::ReportShow { number: 7 },
            Request::ReportRemove { number: Some(u64::MAX) },
            Request::ReportRemove { number: None },
            Request::RoomList,
            Request::RoomShow { address: address() },
            Request::RoomDelete { address: address() },
            Request::Status,
        ] {
            assert_eq!(Request::decode(&request.encode()).as_ref(), Some(&request));
        }
    }

    #[test]
    fn answers_arrive_as_they_were_sent() {
        for response in [
            Response::Done(vec![]),
            Response::Done(vec!["one".into(), "".into(), "done".into()]),
            Response::Failed("there is no such account".into()),
        ] {
            assert_eq!(Response::decode(&response.encode()).as_ref(), Some(&response));
        }
    }

    #[test]
    fn half_an_answer_is_none() {
        let whole = Response::Done(vec!["one".into(), "two".into()]).encode();
        for length in 0..whole.len() {
            assert_eq!(Response::decode(&whole[..length]), None, "{length}");
        }
    }

    #[test]
    fn a_malformed_request_is_refused() {
        let too_long = [b"user-remove\t".as_slice(), &[b'a'; MAX_REQUEST], b"\n"].concat();
        for bytes in [
            b"".as_slice(),
            b"user-list",
            b"user-list\textra\n",
            b"user-add\ta@b\n",
            b"user-add\t\tpassword\n",
            b"user-remove\ta@b\nuser-list\n",
            b"user-remove\t\xff\n",
            b"user-revoke\ta@b\t\n",
            b"user-revoke\ta@b\t1f2e3d4c\textra\n",
            b"report-show\t-1\n",
            b"report-remove\tall\n",
            b"room-delete\n",
            b"room-show\t\n",
            b"format-disk\n",
            &too_long,
        ] {
            assert_eq!(Request::decode(bytes), None);
        }
    }

    #[test]
    fn a_field_cannot_forge_another_one() {
        let request = Request::UserAdd { address: "a@b".into(), password: "x\nuser-remove\ta@b".into() };
        let arrived = Request::decode(&request.encode());
        assert_eq!(
            arrived,
            Some(Request::UserAdd { address: "a@b".into(), password: "x user-remove a@b".into() })
        );
    }

    #[test]
    fn debugging_output_has_no_password() {
        let request = Request::UserAdd { address: "a@b".into(), password: "secret".into() };
        assert_eq!(format!("{request:?}"), "UserAdd(a@b)");
    }
}
