//! What only a broker in hand can show: lives that end, processes that start at once or die half-way, providers whose
//! documents grow old. The router is the door here too.

mod flows {
    mod admin_audit;
    mod admin_tokens;
    mod at_rest;
    mod audit_log;
    mod check;
    mod checkpoint;
    mod choose;
    mod connections;
    mod copies;
    mod deliveries;
    mod domains;
    mod egress;
    mod ends;
    mod gate;
    mod idle;
    mod import_groups;
    mod invitation_rules;
    mod invitations;
    mod keys;
    mod life;
    mod lifetimes;
    mod linking;
    mod mapping;
    mod mapping_document;
    mod mapping_scim;
    mod outbox;
    mod provisioning;
    mod pushed;
    mod pushed_addresses;
    mod queue;
    mod relay;
    mod replaced;
    mod requests;
    mod reseal;
    mod resume;
    mod revocation;
    mod rotation;
    mod scim_access;
    mod scim_audit;
    mod scim_clients;
    mod scim_groups;
    mod scim_limits;
    mod scim_list;
    mod scim_users;
    mod sessions;
    mod signing_keys;
    mod status_list;
    mod storage_calls;
    mod test_login;
    mod upstream;
    mod verify;
    mod webhooks;
}
