<?php
// SimpleSAMLphp as an identity provider on this machine, for tests. SSP_URL is where it is, SSP_STATE a folder of this run.

require_once dirname(__DIR__) . '/ciphers.php';

$state = getenv('SSP_STATE');
$config = [
    'baseurlpath' => getenv('SSP_URL') . '/',
    'metadatadir' => dirname(__DIR__) . '/metadata',
    'metadata.sources' => [['type' => 'flatfile']],
    'certdir' => "$state/cert/",
    'loggingdir' => "$state/log/",
    'datadir' => "$state/data/",
    'tempdir' => "$state/tmp",
    'logging.handler' => 'file',
    'logging.logfile' => 'simplesamlphp.log',
    'logging.level' => SimpleSAML\Logger::INFO,
    // What it refuses is told on its page, where a test reads it.
    'showerrors' => true,
    'errorreporting' => false,
    'secretsalt' => 'of a machine that tests',
    'auth.adminpassword' => 'of a machine that tests',
    'technicalcontact_name' => 'Nobody',
    'technicalcontact_email' => 'nobody@corp.example',
    'timezone' => 'UTC',
    'language.available' => ['en'],
    'language.default' => 'en',
    'enable.saml20-idp' => true,
    'module.enable' => ['core' => true, 'saml' => true, 'exampleauth' => true],
    'store.type' => 'phpsession',
    'session.phpsession.savepath' => "$state/sessions",
    'session.phpsession.cookiename' => 'SimpleSAML',
    'session.cookie.secure' => false,
    'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
];
