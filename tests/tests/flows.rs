//! What only a broker in hand can show: lives that end, processes that start at once or die half-way, providers whose
//! documents grow old. The router is the door here too.

mod flows {
    mod at_rest;
    mod check;
    mod choose;
    mod connections;
    mod domains;
    mod egress;
    mod gate;
    mod keys;
    mod life;
    mod linking;
    mod outbox;
    mod relay;
    mod requests;
    mod resume;
    mod rotation;
    mod signing_keys;
    mod storage_calls;
    mod upstream;
}
