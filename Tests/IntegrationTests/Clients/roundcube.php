<?php
/*
 * Logs in as Roundcube does, prints the subscribed folders and the subjects of one folder, and sends a
 * message. ROUNDCUBE_CONFIG_DIR names the folder of the configuration.
 *
 *     php roundcube.php USER PASSWORD FOLDER SENDER
 */
define('INSTALL_PATH', '/var/lib/roundcube/');
require INSTALL_PATH . 'program/include/clisetup.php';
[, $user, $password, $folder, $sender] = $argv;

$roundcube = rcmail::get_instance();
if (!$roundcube->login($user, $password, $roundcube->autoselect_host())) {
    rcube::raise_error('the login failed', false, true);
}
$storage = $roundcube->get_storage();
foreach ($storage->list_folders_subscribed() as $name) {
    echo "subscribed: $name\n";
}
$storage->set_folder($folder);
foreach ($storage->list_messages() as $message) {
    echo "Subject: $message->subject\n";
}
$message = new Mail_mime();
$message->setTXTBody('Text.');
$message->headers([
    'From' => $sender, 'To' => $user, 'Subject' => 'Test', 'Message-ID' => $roundcube->gen_message_id(),
]);
if (!$roundcube->deliver_message($message, $sender, $user, $error)) {
    rcube::raise_error(json_encode($error), false, true);
}
