<?php
// SimpleSAMLphp 1.19 wraps a key for whoever it trusts and encrypts by AES-128-CBC, whatever is set. What it signs and encrypts
// with knows AES-GCM, too: here each of those whom it trusts has the cipher of its `sharedkey_algorithm`.

use SimpleSAML\Metadata\MetaDataStorageHandler;

/** The cipher for the one for whom an assertion is. */
function cipher_for(SAML2\Assertion $assertion): string
{
    $audience = current($assertion->getValidAudiences());
    $metadata = MetaDataStorageHandler::getMetadataHandler()->getMetaDataConfig($audience, 'saml20-sp-remote');
    return $metadata->getString('sharedkey_algorithm', RobRichards\XMLSecLibs\XMLSecurityKey::AES128_CBC);
}

spl_autoload_register(function (string $class): void {
    if ($class !== 'SAML2\EncryptedAssertion') {
        return;
    }
    $file = 'vendor/simplesamlphp/saml2/src/SAML2/EncryptedAssertion.php';
    $source = file_get_contents(SimpleSAML\Configuration::getInstance()->getBaseDir() . $file);
    $fixed = 'new XMLSecurityKey(XMLSecurityKey::AES128_CBC)';
    if (substr_count($source, $fixed) !== 1) {
        throw new Exception("$file is not what it was: look whether it lets the cipher be chosen");
    }
    eval(substr(str_replace($fixed, 'new XMLSecurityKey(\cipher_for($assertion))', $source), strlen('<?php')));
}, true, true);
