//! Reading a deployment file: TOML in, the objects of the admin API out, each with the place where it stands. What the
//! fields of an object may be is not decided here, but by the broker's own rules: see `rehearsal`.

use serde_json::{Map, Value};
use toml::Value as Toml;
use vestibule_core::model::is_id;

use super::place::{Place, Problem};
use super::secrets::{Secrets, is_secret};

/// In place of a secret that is missing or that the broker has: long enough for every rule.
pub(super) const STAND_IN_SECRET: &str = "stand-in-for-a-secret-that-is-not-at-hand";

/// In place of an id that is none.
const STAND_IN_ID: &str = "stand-in";

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Tenant,
    Connection,
    Domain,
    Host,
    Client,
}

/// One object of the admin API.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) kind: Kind,
    /// What a person calls it.
    pub(super) name: String,
    /// Where it stands in the file.
    pub(super) place: Place,
    /// Below `/admin/v1`.
    pub(super) path: Vec<String>,
    /// What is sent.
    pub(super) body: Map<String, Value>,
    /// The dotted names of the secrets in the body.
    pub(super) secrets: Vec<String>,
    /// Of a domain: why its owner need not be asked for by DNS.
    pub(super) override_reason: Option<String>,
}

/// A file as it was read.
#[derive(Default)]
pub(super) struct File {
    /// In the order in which they can be written: a tenant before what is its own, applications last.
    pub(super) objects: Vec<Object>,
    /// Everything that is wrong with the file itself.
    pub(super) problems: Vec<Problem>,
}

impl File {
    /// Reads a file. What is not TOML at all is one error; the rest is collected.
    pub(super) fn read(text: &str, secrets: &Secrets) -> Result<Self, String> {
        let table: toml::Table = text.parse().map_err(|error| syntax(text, &error))?;
        let mut reader = Reader { secrets, file: Self::default() };
        let place = Place::default();
        let mut clients = None;
        for (section, value) in table {
            match section.as_str() {
                "tenants" => reader.each(&place.key(&section), value, Reader::tenant),
                "clients" => clients = Some(value),
                _ => reader.problem(&place.key(&section), "is neither tenants nor clients"),
            }
        }
        if let Some(clients) = clients {
            reader.each(&place.key("clients"), clients, Reader::client);
        }
        Ok(reader.file)
    }
}

/// The parser's words and where it stopped, without the line itself: a secret may be in it.
fn syntax(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.lines().count().max(1) + usize::from(before.ends_with('\n'));
    format!("line {line}: {}", error.message())
}

struct Reader<'a> {
    secrets: &'a Secrets<'a>,
    file: File,
}

/// What is read of an object: its id, where it stands, and its table.
type Entry = (String, Place, toml::Table);

impl Reader<'_> {
    fn problem(&mut self, place: &Place, text: &str) {
        self.file.problems.push(Problem::new(place, text));
    }

    fn table(&mut self, place: &Place, value: Toml) -> toml::Table {
        if let Toml::Table(table) = value {
            return table;
        }
        self.problem(place, "must be a table");
        toml::Table::new()
    }

    /// Each table of a section, under an id.
    fn each(&mut self, place: &Place, value: Toml, mut read: impl FnMut(&mut Self, Entry)) {
        for (id, value) in self.table(place, value) {
            let here = place.key(&id);
            let table = self.table(&here, value);
            if is_id(&id) {
                read(self, (id, here, table));
            } else {
                self.problem(&here, "an id must be 1 to 40 of a-z, 0-9 and -");
                // Whatever else is wrong below it is told as well.
                read(self, (STAND_IN_ID.to_owned(), here, table));
            }
        }
    }

    fn tenant(&mut self, (id, place, mut table): Entry) {
        let mut part = |name: &str| (place.key(name), table.remove(name));
        let (connections, domains, hosts) = (part("connections"), part("domains"), part("hosts"));
        let path = vec!["tenants".to_owned(), id.clone()];
        self.object(Kind::Tenant, (id.clone(), place, table), path.clone());
        if let (place, Some(value)) = connections {
            self.each(&place, value, |reader, (connection, place, table)| {
                let path = below(&path, "connections", &connection);
                reader.object(Kind::Connection, (format!("{id}/{connection}"), place, table), path);
            });
        }
        if let (place, Some(value)) = domains {
            for (domain, value) in self.table(&place, value) {
                self.domain(&id, (domain.clone(), place.key(&domain), value), below(&path, "domains", &domain));
            }
        }
        if let (place, Some(value)) = hosts {
            self.hosts(&id, &place, value, &path);
        }
    }

    fn domain(&mut self, tenant: &str, (domain, place, value): (String, Place, Toml), path: Vec<String>) {
        let mut table = self.table(&place, value);
        let reason = table.remove("override_reason");
        let override_reason = reason.as_ref().and_then(Toml::as_str).map(str::to_owned);
        if reason.is_some() && override_reason.is_none() {
            self.problem(&place.key("override_reason"), "must be a text");
        }
        self.object(Kind::Domain, (format!("{tenant}/{domain}"), place, table), path);
        if let Some(object) = self.file.objects.last_mut() {
            object.override_reason = override_reason;
        }
    }

    fn hosts(&mut self, tenant: &str, place: &Place, value: Toml, path: &[String]) {
        let Toml::Array(hosts) = value else { return self.problem(place, "must be an array of names") };
        for (number, host) in hosts.into_iter().enumerate() {
            let place = place.index(number);
            let Toml::String(host) = host else { return self.problem(&place, "must be a name") };
            let path = below(path, "hosts", &host);
            self.object(Kind::Host, (format!("{tenant}/{host}"), place, toml::Table::new()), path);
        }
    }

    fn client(&mut self, (id, place, table): Entry) {
        self.object(Kind::Client, (id.clone(), place, table), vec!["clients".to_owned(), id]);
    }

    fn object(&mut self, kind: Kind, (id, place, table): Entry, path: Vec<String>) {
        let word = match kind {
            Kind::Tenant => "tenant",
            Kind::Connection => "connection",
            Kind::Domain => "domain",
            Kind::Host => "host",
            Kind::Client => "client",
        };
        let mut secrets = Vec::new();
        let body = self.members(&place, "", table, &mut secrets);
        let name = format!("{word} {id}");
        self.file.objects.push(Object { kind, name, place, path, body, secrets, override_reason: None });
    }

    /// A table as JSON, its secrets fetched. `prefix` is what stands before its keys within the object.
    fn members(
        &mut self,
        place: &Place,
        prefix: &str,
        table: toml::Table,
        secrets: &mut Vec<String>,
    ) -> Map<String, Value> {
        let mut members = Map::new();
        for (key, value) in table {
            let (here, name) = (place.key(&key), format!("{prefix}{key}"));
            let value = if is_secret(&key) {
                secrets.push(name);
                self.secret(&here, &value)
            } else {
                self.value(&here, &name, value, secrets)
            };
            members.insert(key, value);
        }
        members
    }

    /// A secret; while it is missing, one that lets everything else be looked at.
    fn secret(&mut self, place: &Place, reference: &Toml) -> Value {
        let secret = self.secrets.fetch(reference);
        Value::String(secret.unwrap_or_else(|text| {
            self.problem(place, &text);
            STAND_IN_SECRET.to_owned()
        }))
    }

    fn value(&mut self, place: &Place, name: &str, value: Toml, secrets: &mut Vec<String>) -> Value {
        match value {
            Toml::String(text) => Value::String(text),
            Toml::Integer(number) => Value::from(number),
            Toml::Float(number) => Value::from(number),
            Toml::Boolean(flag) => Value::Bool(flag),
            Toml::Datetime(_) => {
                self.problem(place, "is a date; nothing here is one");
                Value::Null
            }
            Toml::Array(entries) => {
                let entries = entries.into_iter().enumerate();
                let entry = |(number, entry)| self.value(&place.index(number), name, entry, secrets);
                entries.map(entry).collect()
            }
            Toml::Table(table) => Value::Object(self.members(place, &format!("{name}."), table, secrets)),
        }
    }
}

fn below(path: &[String], section: &str, id: &str) -> Vec<String> {
    path.iter().map(String::as_str).chain([section, id]).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
