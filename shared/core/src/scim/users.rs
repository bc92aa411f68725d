//! People, one at a time. Whoever a directory writes is the directory's from then on: what it says leads.

use serde_json::{Map, Value};
use vestibule_protocol::scim;
use vestibule_protocol::scim::ScimType;
use vestibule_protocol::scim::note::Note;
use vestibule_protocol::scim::patch;
use vestibule_protocol::scim::resource::Body;
use vestibule_protocol::scim::schema::Kind;

use super::audit::{self, Done};
use super::{Answer, Call, TRIES, check_size, keeps_changing, not_found, shown, tag};
use crate::audit::difference::differences;
use crate::directory::person::{self, UniqueName};
use crate::directory::profile;
use crate::directory::{self, Because, Switch};
use crate::error::{Error, Internal};
use crate::handle::new_id;
use crate::mapping::{Evidence, reevaluate};
use crate::model::access::Access;
use crate::model::audit::{Cause, ChangeKind};
use crate::model::provisioning::Mode;
use crate::model::user::{Profile, Source, User};
use crate::sessions;
use crate::store::record::Stored;
use crate::store::{MAX_VALUE_BYTES, StoreError, Version, key};

/// What a request makes of a person.
struct Said {
    attributes: Map<String, Value>,
    /// `None`: nothing was said of it.
    active: Option<bool>,
    notes: Vec<Note>,
}

impl Said {
    fn new(resource: Value, notes: Vec<Note>) -> Result<Self, Error> {
        let Value::Object(mut attributes) = resource else { return Err(Error::bug("a resource that is no object")) };
        let active = attributes.remove("active").and_then(|active| active.as_bool());
        check_size(&attributes)?;
        Ok(Self { attributes, active, notes })
    }
}

/// A person's attributes as a body or a PATCH sees them.
fn resource(user: &User) -> Map<String, Value> {
    let mut resource = user.attributes.clone();
    resource.insert("active".to_owned(), user.active.into());
    resource
}

pub(super) async fn create(call: &Call<'_>, body: &Value) -> Result<Answer, Error> {
    let Call { broker, caller, .. } = *call;
    let tenant = call.tenant();
    call.projection(Kind::User)?;
    if caller.provisioning.mode != Mode::Scim {
        let detail =
            "people do not come by SCIM here: an administrator has to set the tenant's provisioning mode to scim";
        return Err(scim::Error::status(403, detail).into());
    }
    let Body { resource: sent, notes, .. } = Body::parse(call.type_of(Kind::User), body)?;
    let said = Said::new(sent, notes)?;
    let now = broker.platform.clock.now();
    let mut user = User {
        id: new_id(&*broker.platform.random),
        active: said.active.unwrap_or(true),
        profile: profile::of_attributes(&said.attributes, &Profile::default()),
        groups: vestibule_protocol::oidc::groups::Groups::default(),
        linked_email: None,
        source: Source::Scim,
        provisioned_by: caller.connection.clone(),
        attributes: said.attributes,
        identities: Vec::new(),
        groups_from: None,
        member_of: std::collections::BTreeMap::new(),
        mapped_attributes: std::collections::BTreeMap::new(),
        access: Access::default(),
        created_at: now,
        updated_at: now,
    };
    reevaluate(broker, tenant, &mut user, Evidence::Directory).await?;
    let nobody = User { access: Access::default(), ..user.clone() };
    for _ in 0..TRIES {
        let mut writes = person::create(tenant, &user)?;
        let done = Done {
            object: format!("/Users/{}", user.id),
            change: ChangeKind::Created,
            attributes: differences(&Map::new(), &resource(&user)),
            people: audit::person(&nobody, &user, None).into_iter().collect(),
            notes: said.notes.clone(),
        };
        writes.push(audit::owe(broker, tenant, caller.client(), done)?);
        match broker.platform.store.commit(&key::directory(tenant), writes).await {
            Ok(versions) => return show(call, stored(user, versions)?).await,
            // Somebody has the name, or had it a moment ago.
            Err(StoreError::Conflict) => check_names(call, &user).await?,
            Err(error) => return Err(error.into()),
        }
    }
    Err(keeps_changing())
}

async fn check_names(call: &Call<'_>, user: &User) -> Result<(), Error> {
    let detail = match person::taken(call.broker, call.tenant(), user).await? {
        None => return Ok(()),
        Some(UniqueName::UserName) => "another user has this userName; upper and lower case don't tell them apart",
        Some(UniqueName::ExternalId) => "another user has this externalId",
    };
    Err(scim::Error::new(ScimType::Uniqueness, detail).into())
}

async fn load(call: &Call<'_>, id: &str) -> Result<Stored<User>, Error> {
    let found = key::user(call.tenant(), id).get(&*call.broker.platform.store).await?;
    Ok(found.ok_or_else(|| not_found(Kind::User))?)
}

pub(super) async fn get(call: &Call<'_>, id: &str) -> Result<Answer, Error> {
    call.projection(Kind::User)?;
    show(call, load(call, id).await?).await
}

/// A person as the commit left them that just wrote them first.
fn stored(value: User, versions: Vec<Version>) -> Result<Stored<User>, Error> {
    let version = versions.into_iter().next().ok_or_else(|| Error::bug("a commit that wrote nobody"))?;
    Ok(Stored { value, version })
}

async fn show(call: &Call<'_>, mut found: Stored<User>) -> Result<Answer, Error> {
    let projection = call.projection(Kind::User)?;
    if projection.shows("groups") {
        shown::name_groups(call.broker, call.tenant(), &mut found.value).await?;
    }
    let (tag, location) = (tag::user(&found.version), call.location(Kind::User, &found.value.id));
    let mut shown = shown::user(&shown::base(call.broker), call.type_of(Kind::User), found);
    shown::name_manager(call.broker, call.tenant(), &mut shown).await?;
    projection.apply(&mut shown);
    Ok(Answer { location, tag: Some(tag), body: Some(shown) })
}

pub(super) async fn replace(call: &Call<'_>, id: &str, body: &Value) -> Result<Answer, Error> {
    let types = call.type_of(Kind::User);
    change(call, id, |user| {
        let body = Body::parse(types, body)?;
        body.check_replaces(types, &Value::Object(resource(user)))?;
        Said::new(body.resource, body.notes)
    })
    .await
}

pub(super) async fn patch(call: &Call<'_>, id: &str, body: &Value) -> Result<Answer, Error> {
    change(call, id, |user| {
        let patched = patch::apply(call.type_of(Kind::User), &Value::Object(resource(user)), body)?;
        Said::new(patched.resource, patched.notes)
    })
    .await
}

/// Changes a person as `say` says of the one that is there. Whether they may sign in stays where nothing is said of it:
/// a directory that forgets to say it must not let somebody in again.
async fn change(call: &Call<'_>, id: &str, say: impl Fn(&User) -> Result<Said, Error>) -> Result<Answer, Error> {
    call.projection(Kind::User)?;
    for _ in 0..TRIES {
        let found = load(call, id).await?;
        tag::check(&call.asked.condition, &tag::user(&found.version))?;
        let said = say(&found.value)?;
        let mut user = found.value.clone();
        if user.source != Source::Scim {
            user.source = Source::Scim;
            user.provisioned_by.clone_from(&call.caller.connection);
        }
        user.profile = profile::of_attributes(&said.attributes, &user.profile);
        user.attributes = said.attributes;
        directory::release_address(&mut user);
        user.active = said.active.unwrap_or(user.active);
        reevaluate(call.broker, call.tenant(), &mut user, Evidence::Directory).await?;
        if user != found.value {
            user.updated_at = call.broker.platform.clock.now();
            match commit(call, &found, &user, said.notes).await {
                Err(Error::Internal(Internal::Store(StoreError::Conflict))) => check_names(call, &user).await?,
                Err(error) => return Err(error),
                Ok(versions) => return show(call, stored(user, versions)?).await,
            }
            continue;
        }
        if !user.active {
            // Perhaps the request before this one died before their sessions were ended.
            sessions::align_gate(call.broker, call.tenant(), id).await?;
        }
        return show(call, found).await;
    }
    Err(keeps_changing())
}

async fn commit(call: &Call<'_>, found: &Stored<User>, user: &User, notes: Vec<Note>) -> Result<Vec<Version>, Error> {
    let Call { broker, caller, .. } = *call;
    let tenant = call.tenant();
    let mut writes = person::update(tenant, found, user)?;
    if writes.iter().any(|write| write.bytes() > MAX_VALUE_BYTES) {
        let detail = "the person's record is full: fewer or shorter attributes, or fewer groups, would fit";
        return Err(scim::Error::status(413, detail).into());
    }
    let done = Done {
        object: format!("/Users/{}", user.id),
        change: ChangeKind::Replaced,
        attributes: differences(&resource(&found.value), &resource(user)),
        people: audit::person(&found.value, user, None).into_iter().collect(),
        notes,
    };
    writes.push(audit::owe(broker, tenant, caller.client(), done)?);
    let switch = match (found.value.active, user.active) {
        (true, false) => {
            let because =
                Because { cause: Cause::Directory, connection: caller.connection.clone(), ..Because::default() };
            Some(Switch::off(broker, tenant, &user.id, because)?)
        }
        (false, true) => Some(Switch::on(broker, tenant, &user.id, None)?),
        _ => None,
    };
    writes.extend(switch.iter().flat_map(Switch::writes));
    let versions = broker.platform.store.commit(&key::directory(tenant), writes).await?;
    if let Some(switch) = switch {
        switch.settle(broker).await?;
    }
    Ok(versions)
}

/// Removes a person with everything that leads to them. Their sessions end and their gate stays closed.
pub(super) async fn delete(call: &Call<'_>, id: &str) -> Result<(), Error> {
    let Call { broker, caller, .. } = *call;
    let tenant = call.tenant();
    for _ in 0..TRIES {
        let found = load(call, id).await?;
        tag::check(&call.asked.condition, &tag::user(&found.version))?;
        let gone = User { access: Access::default(), ..found.value.clone() };
        let done = Done {
            object: format!("/Users/{id}"),
            change: ChangeKind::Deleted,
            attributes: differences(&resource(&found.value), &Map::new()),
            people: audit::person(&found.value, &gone, None).into_iter().collect(),
            notes: Vec::new(),
        };
        let event = audit::owe(broker, tenant, caller.client(), done)?;
        match directory::remove(broker, tenant, &found, event).await {
            Err(Error::Internal(Internal::Store(StoreError::Conflict))) => {}
            done => return done,
        }
    }
    Err(keeps_changing())
}
