import IMAP

/// What mail programs in use send whatever the server told them.
extension Quirks {
    /// Whether a STORE marks messages as read, changes nothing else, and asks for no answer.
    ///
    ///     UID STORE 7 +FLAGS.SILENT (\Seen)
    ///
    /// Geary 43, Claws Mail 4.1 and mbsync 1.4 send it for each message that somebody has opened, also
    /// where PERMANENTFLAGS has no `\Seen`. After a NO Geary shows an alert, and mbsync aborts. A flag that
    /// PERMANENTFLAGS does not name may be ignored (RFC 9051 §7.1); clients in use do not handle a NO to STORE
    /// well (RFC 4314 §4).
    static func marksReadSilently(_ store: StoreFlags) -> Bool {
        store.action == .add && store.isSilent && store.unchangedSince == nil
            && store.flags == [.seen]
    }
}
