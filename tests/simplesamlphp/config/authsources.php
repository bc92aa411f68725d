<?php
// The people, all with the password "any". Attributes have the names of eduPerson and LDAP, as universities send them.

$mail = 'urn:oid:0.9.2342.19200300.100.1.3';
$givenName = 'urn:oid:2.5.4.42';
$surname = 'urn:oid:2.5.4.4';
$config = [
    'people' => [
        'exampleauth:UserPass',
        'alice:any' => [
            'uid' => ['alice'],
            $mail => ['alice@corp.example'],
            $givenName => ['Alice'],
            $surname => ['Liddell'],
            'groups' => ['engineering', 'admins'],
        ],
        'bob:any' => [
            'uid' => ['bob'],
            $mail => ['bob@corp.example'],
            $givenName => ['Bob'],
            $surname => ["O'Neil & <Söns>"],
            'groups' => ['engineering'],
        ],
    ],
];
