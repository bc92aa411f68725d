//! The black-box suite: what a browser, an application and an administrator see of a running broker, over HTTP, on any
//! runtime. Each test cites the checks that it stands for (AZ authorization, TK tokens, RP relying party, LO logout, CK
//! cookies, ED edge). See `vestibule_tests::Deployment` for how to run it.

#[path = "deployed/acr.rs"]
mod acr;
#[path = "deployed/admin.rs"]
mod admin;
#[path = "deployed/admin_conditions.rs"]
mod admin_conditions;
#[path = "deployed/admin_lists.rs"]
mod admin_lists;
#[path = "deployed/admin_problems.rs"]
mod admin_problems;
#[path = "deployed/admin_tokens.rs"]
mod admin_tokens;
#[path = "deployed/assertion.rs"]
mod assertion;
#[path = "deployed/attacks.rs"]
mod attacks;
#[path = "deployed/authorize.rs"]
mod authorize;
#[path = "deployed/callback_attacks.rs"]
mod callback_attacks;
#[path = "deployed/checkpoint.rs"]
mod checkpoint;
#[path = "deployed/claims.rs"]
mod claims;
#[path = "deployed/connections.rs"]
mod connections;
#[path = "deployed/form_post.rs"]
mod form_post;
#[path = "deployed/front_channel.rs"]
mod front_channel;
#[path = "deployed/hosts.rs"]
mod hosts;
#[path = "deployed/initiate.rs"]
mod initiate;
#[path = "deployed/invitations.rs"]
mod invitations;
#[path = "deployed/login.rs"]
mod login;
#[path = "deployed/logout.rs"]
mod logout;
#[path = "deployed/mapping.rs"]
mod mapping;
#[path = "deployed/mapping_admin.rs"]
mod mapping_admin;
#[path = "deployed/metadata.rs"]
mod metadata;
#[path = "deployed/origin.rs"]
mod origin;
#[path = "deployed/outages.rs"]
mod outages;
#[path = "deployed/presets.rs"]
mod presets;
#[path = "deployed/provider.rs"]
mod provider;
#[path = "deployed/provider_notices.rs"]
mod provider_notices;
#[path = "deployed/provider_sign_out.rs"]
mod provider_sign_out;
#[path = "deployed/provisioning.rs"]
mod provisioning;
#[path = "deployed/pushed.rs"]
mod pushed;
#[path = "deployed/queue.rs"]
mod queue;
#[path = "deployed/races.rs"]
mod races;
#[path = "deployed/refresh.rs"]
mod refresh;
#[path = "deployed/relay.rs"]
mod relay;
#[path = "deployed/relay_attacks.rs"]
mod relay_attacks;
#[path = "deployed/relay_refusals.rs"]
mod relay_refusals;
#[path = "deployed/resume.rs"]
mod resume;
#[path = "deployed/revocation.rs"]
mod revocation;
#[path = "deployed/saml_admin.rs"]
mod saml_admin;
#[path = "deployed/saml_login.rs"]
mod saml_login;
#[path = "deployed/scim_access.rs"]
mod scim_access;
#[path = "deployed/scim_bulk.rs"]
mod scim_bulk;
#[path = "deployed/scim_callers.rs"]
mod scim_callers;
#[path = "deployed/scim_document.rs"]
mod scim_document;
#[path = "deployed/scim_groups.rs"]
mod scim_groups;
#[path = "deployed/scim_http.rs"]
mod scim_http;
#[path = "deployed/scim_list.rs"]
mod scim_list;
#[path = "deployed/scim_list_order.rs"]
mod scim_list_order;
#[path = "deployed/scim_quirks.rs"]
mod scim_quirks;
#[path = "deployed/scim_users.rs"]
mod scim_users;
#[path = "deployed/sessions.rs"]
mod sessions;
#[path = "deployed/sign_in.rs"]
mod sign_in;
#[path = "deployed/signing_keys.rs"]
mod signing_keys;
#[path = "deployed/status_list.rs"]
mod status_list;
#[path = "deployed/tenants.rs"]
mod tenants;
#[path = "deployed/test_login.rs"]
mod test_login;
#[path = "deployed/token.rs"]
mod token;
#[path = "deployed/webhook.rs"]
mod webhook;
