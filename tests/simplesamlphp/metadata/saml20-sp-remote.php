<?php
// Whoever may sign people in here: each as its own metadata says, which a test put into the folder of this run, and with the
// settings beside it that its administrator would have chosen.

foreach (glob(getenv('SSP_STATE') . '/trusted/*.xml') as $file) {
    $settings = json_decode(file_get_contents(substr($file, 0, -3) . 'json'), true, 512, JSON_THROW_ON_ERROR);
    foreach (SimpleSAML\Metadata\SAMLParser::parseDescriptorsFile($file) as $entity => $described) {
        $metadata[$entity] = $settings + $described->getMetadata20SP();
    }
}
