//! Groups, one at a time, and in them who is to be a member. A group's record is written last: what was begun and not
//! finished is repeated by whoever sends the request again.

mod write;

use serde_json::{Map, Value};
use vestibule_protocol::scim;
use vestibule_protocol::scim::member::{Member, MemberChanges};
use vestibule_protocol::scim::note::Note;
use vestibule_protocol::scim::patch;
use vestibule_protocol::scim::projection::Projection;
use vestibule_protocol::scim::resource::Body;
use vestibule_protocol::scim::schema::Kind;

use self::write::Loaded;
use super::audit::{self, Done};
use super::members::{MAX_NAME, Move, is_called_group};
use super::{Answer, Call, TRIES, check_size, keeps_changing, not_found, shown, tag};
use crate::audit::difference::differences;
use crate::directory::group;
use crate::error::{Error, Internal};
use crate::handle::new_id;
use crate::model::audit::ChangeKind;
use crate::model::effect::Effect;
use crate::model::group::{Group, GroupSource};
use crate::outbox;
use crate::store::{StoreError, key};

/// The attribute that is not part of a group's record.
const MEMBERS: &str = "members";

/// What a request makes of a group.
struct Said {
    attributes: Map<String, Value>,
    members: Members,
    notes: Vec<Note>,
}

/// Who is in the group afterwards.
enum Members {
    /// These and nobody else.
    All(Vec<Member>),
    /// Those who were, but for these changes.
    Changed(MemberChanges),
}

impl Said {
    fn new(resource: Value, members: Members, notes: Vec<Note>) -> Result<Self, Error> {
        let Value::Object(attributes) = resource else { return Err(Error::bug("a resource that is no object")) };
        check_size(&attributes)?;
        if attributes.get("displayName").and_then(Value::as_str).is_some_and(|name| name.len() > MAX_NAME) {
            return Err(scim::Error::invalid_value("displayName of a group must have at most 512 bytes").into());
        }
        Ok(Self { attributes, members, notes })
    }
}

fn joins(member: &Member) -> Move {
    Move { user: member.id.clone(), joins: true, is_called_group: is_called_group(member) }
}

fn leaves(id: &str) -> Move {
    Move { user: id.to_owned(), joins: false, is_called_group: false }
}

pub(super) async fn create(call: &Call<'_>, body: &Value) -> Result<Answer, Error> {
    call.projection(Kind::Group)?;
    let Body { resource, members, notes } = Body::parse(call.type_of(Kind::Group), body)?;
    let said = Said::new(resource, Members::All(Vec::new()), notes)?;
    let now = call.broker.platform.clock.now();
    let group = Group {
        id: new_id(&*call.broker.platform.random),
        attributes: said.attributes,
        source: GroupSource::Scim,
        created_at: now,
        updated_at: now,
    };
    let moves: Vec<Move> = members.iter().map(joins).collect();
    for _ in 0..TRIES {
        match write::create(call, &group, &moves, body, &said.notes).await {
            Ok(()) => return get(call, &group.id).await,
            Err(Error::Internal(Internal::Store(StoreError::Conflict))) => write::check_name(call, &group).await?,
            Err(error) => return Err(error),
        }
    }
    Err(keeps_changing())
}

pub(super) async fn get(call: &Call<'_>, id: &str) -> Result<Answer, Error> {
    let projection = call.projection(Kind::Group)?;
    let found = Loaded::read(call, id, true).await?;
    show(call, &projection, &found).await
}

async fn show(call: &Call<'_>, projection: &Projection<'_>, found: &Loaded) -> Result<Answer, Error> {
    let id = &found.group.value.id;
    let members =
        if projection.shows(MEMBERS) { shown::members_of(call.broker, call.tenant(), id).await? } else { Vec::new() };
    let touch = found.touch.as_ref();
    let mut shown = shown::group(&shown::base(call.broker), call.type_of(Kind::Group), &found.group, touch, &members);
    projection.apply(&mut shown);
    Ok(Answer {
        location: call.location(Kind::Group, id),
        tag: Some(tag::group(&found.group, touch)),
        body: Some(shown),
    })
}

pub(super) async fn replace(call: &Call<'_>, id: &str, body: &Value) -> Result<Answer, Error> {
    let types = call.type_of(Kind::Group);
    change(call, id, body, |before| {
        let read = Body::parse(types, body)?;
        read.check_replaces(types, before)?;
        Said::new(read.resource, Members::All(read.members), read.notes)
    })
    .await?;
    get(call, id).await
}

pub(super) async fn patch(call: &Call<'_>, id: &str, body: &Value) -> Result<Answer, Error> {
    change(call, id, body, |before| {
        let patched = patch::apply(call.type_of(Kind::Group), before, body)?;
        Said::new(patched.resource, Members::Changed(patched.members), patched.notes)
    })
    .await?;
    if call.asked.attributes.is_empty() && call.asked.excluded_attributes.is_empty() {
        return Ok(Answer { location: call.location(Kind::Group, id), tag: None, body: None });
    }
    get(call, id).await
}

/// Changes a group as `say` says of the one that is there. The condition holds until the first commit: what comes after
/// it is of this request.
async fn change(
    call: &Call<'_>,
    id: &str,
    sent: &Value,
    say: impl Fn(&Value) -> Result<Said, Error>,
) -> Result<(), Error> {
    call.projection(Kind::Group)?;
    let mut has_begun = false;
    for _ in 0..TRIES {
        let has_condition = call.asked.condition.is_some() && !has_begun;
        let found = Loaded::read(call, id, has_condition).await?;
        if has_condition {
            tag::check(&call.asked.condition, &tag::group(&found.group, found.touch.as_ref()))?;
        }
        let before = &found.group.value;
        let said = say(&Value::Object(before.attributes.clone()))?;
        // Before the members are listed: whoever comes or goes in between is seen.
        let found = match &said.members {
            Members::Changed(changes) if !changes.clears() => found,
            Members::All(_) | Members::Changed(_) => found.with_touch(call).await?,
        };
        let moves = moves(call, id, &said.members).await?;
        let mut after = found.group.value.clone();
        after.attributes = said.attributes;
        let change = write::Change { found: &found, after, moves: &moves, sent, notes: said.notes };
        match change.write(call, &mut has_begun).await {
            Err(Error::Internal(Internal::Store(StoreError::Conflict))) => {
                write::check_name(call, &change.after).await?;
            }
            done => return done,
        }
    }
    Err(keeps_changing())
}

/// Who has to join and who to leave. Only where others than those who are named may have to leave is the group listed.
async fn moves(call: &Call<'_>, group: &str, members: &Members) -> Result<Vec<Move>, Error> {
    let (joining, everybody_else_leaves): (Vec<&Member>, bool) = match members {
        Members::All(members) => (members.iter().collect(), true),
        Members::Changed(changes) => (changes.added().collect(), changes.clears()),
    };
    let mut moves: Vec<Move> = joining.into_iter().map(joins).collect();
    if everybody_else_leaves {
        let stay: std::collections::BTreeSet<String> = moves.iter().map(|one| one.user.clone()).collect();
        let members = shown::members_of(call.broker, call.tenant(), group).await?;
        moves.extend(members.iter().filter(|id| !stay.contains(*id)).map(|id| leaves(id)));
    }
    if let Members::Changed(changes) = members {
        moves.extend(changes.removed().map(leaves));
    }
    Ok(moves)
}

/// Removes a group. Its members are taken out of it before this returns, if they are not very many.
pub(super) async fn delete(call: &Call<'_>, id: &str) -> Result<(), Error> {
    let (broker, tenant, partition) = (call.broker, call.tenant(), key::directory(call.tenant()));
    for _ in 0..TRIES {
        let found = Loaded::read(call, id, call.asked.condition.is_some()).await?;
        tag::check(&call.asked.condition, &tag::group(&found.group, found.touch.as_ref()))?;
        check_source(&found.group.value)?;
        let mut writes = group::remove(tenant, &found.group, found.touch_stands())?;
        let done = Done {
            object: format!("/Groups/{id}"),
            change: ChangeKind::Deleted,
            attributes: differences(&found.group.value.attributes, &Map::new()),
            people: Vec::new(),
            notes: Vec::new(),
        };
        writes.push(audit::owe(broker, tenant, call.caller.client(), done)?);
        let by = call.caller.client();
        let regroup = Effect::Regroup { tenant: tenant.to_owned(), group: id.to_owned(), by, after: None };
        let regroup = outbox::owe(broker, partition.clone(), &regroup)?;
        writes.push(regroup.write.clone());
        match broker.platform.store.commit(&partition, writes).await {
            Ok(_) => return outbox::settle(broker, &regroup).await,
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(keeps_changing())
}

/// Refuses to change what somebody else keeps.
fn check_source(group: &Group) -> Result<(), scim::Error> {
    match group.source {
        GroupSource::Scim => Ok(()),
        GroupSource::Claims { .. } => {
            let detail = "this group comes from what an identity provider says of people: it cannot be changed by SCIM";
            Err(scim::Error::status(403, detail))
        }
    }
}

fn none_such() -> scim::Error {
    not_found(Kind::Group)
}
