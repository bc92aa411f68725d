<?php
// The identity provider: names that stay, everything about logout signed, both bindings.

$bindings = [
    'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect',
    'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST',
];
$persistent = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent';
$metadata[getenv('SSP_URL') . '/idp'] = [
    'host' => '__DEFAULT__',
    'auth' => 'people',
    'privatekey' => 'idp.key',
    'certificate' => 'idp.crt',
    'SingleSignOnServiceBinding' => $bindings,
    'SingleLogoutServiceBinding' => $bindings,
    'NameIDFormat' => $persistent,
    'authproc' => [
        1 => ['class' => 'saml:PersistentNameID', 'attribute' => 'uid'],
        2 => [
            'class' => 'saml:AttributeNameID',
            'attribute' => 'urn:oid:0.9.2342.19200300.100.1.3',
            'Format' => 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
        ],
        3 => ['class' => 'saml:TransientNameID'],
    ],
    'sign.logout' => true,
    'validate.logout' => true,
];
