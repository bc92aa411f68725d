//! What another road for a tenant's people would change, told before it does. Changing it is a change of the tenant.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Checked;
use super::check_id;
use crate::Broker;
use crate::error::{AdminError, Error};
use crate::model::invitation::{Invitation, InvitationState};
use crate::model::provisioning::Mode;
use crate::model::user::Source;
use crate::store::record::parse;
use crate::store::{Partition, Record, key};

/// Records that are read in one step: whoever counts a hundred thousand people holds as many.
const STEP: usize = 500;

/// What an administrator sends.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewInput {
    /// The road to look at.
    pub mode: Mode,
}

/// What would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Preview {
    /// The road as it is.
    pub from: Mode,
    /// The road that was asked about.
    pub to: Mode,
    /// The people who are there. They stay, whatever the road.
    pub people: People,
    /// How many invitations wait.
    pub pending_invitations: u32,
    /// How many SCIM tokens there are.
    pub scim_tokens: u32,
    /// How many clients fetch tokens for SCIM themselves.
    pub scim_clients: u32,
    /// The connections by which people come, of very many the first hundred.
    pub connections: Vec<String>,
    /// What would change, in words.
    pub effects: Vec<String>,
}

/// How many people there are, by the road by which they came.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct People {
    /// At their first sign-in.
    pub login: Activity,
    /// Pushed by a directory, or taken over by it.
    pub scim: Activity,
    /// By an invitation.
    pub invitation: Activity,
}

/// How many of them may sign in.
#[derive(Debug, Default, Clone, Copy, Serialize, JsonSchema)]
pub struct Activity {
    /// They may.
    pub active: u32,
    /// They may not.
    pub inactive: u32,
}

/// What has to be known of a person to be counted.
#[derive(Deserialize)]
struct Counted {
    active: bool,
    #[serde(default)]
    source: Source,
}

/// Says what another mode would change. Reads all people, a step at a time.
pub async fn preview(
    broker: &Broker,
    tenant: &str,
    Checked { input, problems }: Checked<PreviewInput>,
) -> Result<Preview, Error> {
    check_id("tenant", tenant)?;
    problems.none()?;
    let found = key::tenant(tenant).get(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?;
    let mut people = People::default();
    each(broker, &key::directory(tenant), key::USER, |record| {
        let Counted { active, source } = parse(record)?.value;
        people.count(source, active);
        Ok(())
    })
    .await?;
    let (mut pending_invitations, mut scim_tokens, mut scim_clients) = (0, 0, 0);
    let now = broker.platform.clock.now();
    each(broker, &key::directory(tenant), key::INVITATION, |record| {
        let invitation = parse::<Invitation>(record)?.value;
        pending_invitations += u32::from(invitation.state(now) == InvitationState::Pending);
        Ok(())
    })
    .await?;
    each(broker, &key::tenant_partition(tenant), key::SCIM_TOKEN, |_| {
        scim_tokens += 1;
        Ok(())
    })
    .await?;
    each(broker, &key::tenant_partition(tenant), key::INDEX_SCIM_CLIENT, |_| {
        scim_clients += 1;
        Ok(())
    })
    .await?;
    let connections = broker.enabled_connections(tenant).await?;
    let connections = connections.iter().map(|offered| offered.id.clone()).collect();
    let (from, to) = (found.value.provisioning.mode, input.mode);
    let mut preview =
        Preview { from, to, people, pending_invitations, scim_tokens, scim_clients, connections, effects: Vec::new() };
    preview.effects = effects(&preview);
    Ok(preview)
}

async fn each(
    broker: &Broker,
    partition: &Partition,
    prefix: &str,
    mut see: impl FnMut(&Record) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut after = None;
    loop {
        let page = broker.platform.store.list(partition, prefix, after.as_deref(), STEP).await?;
        page.records.iter().try_for_each(&mut see)?;
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

impl People {
    fn count(&mut self, source: Source, active: bool) {
        let activity = match source {
            Source::Login => &mut self.login,
            Source::Scim => &mut self.scim,
            Source::Invitation => &mut self.invitation,
        };
        let counter = if active { &mut activity.active } else { &mut activity.inactive };
        *counter = counter.saturating_add(1);
    }

    fn total(&self) -> u32 {
        let all = [self.login, self.scim, self.invitation];
        all.iter().map(|activity| activity.active.saturating_add(activity.inactive)).fold(0, u32::saturating_add)
    }
}

/// What would change, a sentence each.
fn effects(preview: &Preview) -> Vec<String> {
    let Preview { from, to, people, pending_invitations, scim_tokens, scim_clients, connections, .. } = preview;
    if from == to {
        return vec!["Nothing changes: this is the tenant's mode.".to_owned()];
    }
    let place = match connections.as_slice() {
        [] => "No connection is enabled; once there is one, whoever".to_owned(),
        ids => format!("Whoever signs in through {} and", ids.join(", ")),
    };
    let unknown = match to {
        Mode::JustInTime => "is not known yet is created.",
        Mode::Scim => "is not known yet is refused, until a directory pushes them.",
        Mode::InviteOnly => "is not known yet is refused, unless they have an invitation.",
    };
    let mut effects = vec![format!("{place} {unknown}")];
    effects.push(match people.total() {
        1 => "The one person who is there stays, and signs in as before unless they are inactive.".to_owned(),
        all => format!("The {all} people who are there stay. Those who are active sign in as before."),
    });
    if *from == Mode::InviteOnly {
        effects.push(match pending_invitations {
            1 => "1 pending invitation can no longer be accepted, unless the mode comes back in time.".to_owned(),
            all => format!("{all} pending invitations can no longer be accepted, unless the mode comes back in time."),
        });
    }
    if *from == Mode::Scim || *to == Mode::Scim {
        let answer = if *to == Mode::Scim { "taken" } else { "refused; all others go on" };
        let tokens = if *scim_tokens == 1 { "token" } else { "tokens" };
        let clients = if *scim_clients == 1 { "client" } else { "clients" };
        let by = format!("{scim_tokens} {tokens} and {scim_clients} {clients}");
        effects.push(format!("SCIM requests that create people, by {by}, are {answer}."));
    }
    effects
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_of_mode_has_its_words() {
        let all = [Mode::JustInTime, Mode::Scim, Mode::InviteOnly];
        for (from, to) in all.iter().flat_map(|from| all.map(|to| (*from, to))) {
            let people = People { scim: Activity { active: 2, inactive: 1 }, ..People::default() };
            let connections = vec!["corp".to_owned()];
            let preview = Preview {
                from,
                to,
                people,
                pending_invitations: 1,
                scim_tokens: 2,
                scim_clients: 1,
                connections,
                effects: Vec::new(),
            };
            let said = effects(&preview).join("\n");
            assert_eq!(said.contains("Nothing changes"), from == to, "{said}");
            assert_eq!(said.contains("The 3 people"), from != to, "{said}");
            assert_eq!(said.contains("1 pending invitation can"), from == Mode::InviteOnly && from != to, "{said}");
            assert_eq!(said.contains("is created"), to == Mode::JustInTime && from != to, "{said}");
            assert_eq!(said.contains("by 2 tokens and 1 client, are taken"), to == Mode::Scim && from != to, "{said}");
            assert_eq!(
                said.contains("by 2 tokens and 1 client, are refused"),
                from == Mode::Scim && from != to,
                "{said}"
            );
        }
    }
}
