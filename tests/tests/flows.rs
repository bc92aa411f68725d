//! What only a broker in hand can show: lives that end, processes that start at once or die half-way, providers whose
//! documents grow old. The router is the door here too.

mod flows {
    mod choose;
    mod domains;
    mod gate;
    mod keys;
    mod life;
    mod linking;
    mod outbox;
    mod upstream;
}
