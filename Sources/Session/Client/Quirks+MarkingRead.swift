import IMAP

/// Commands that mail programs send regardless of what the server announced.
extension Quirks {
    /// Whether a STORE marks messages as read, changes nothing else, and asks for no FETCH
    /// response.
    ///
    ///     UID STORE 7 +FLAGS.SILENT (\Seen)
    ///
    /// Geary 43, Claws Mail 4.1 and mbsync 1.4 send it for each message that the user opens, even
    /// if PERMANENTFLAGS lacks `\Seen`. After a NO, Geary shows an alert and mbsync aborts. A
    /// server may ignore a flag that PERMANENTFLAGS lacks (RFC 9051 §7.1), and many clients do not
    /// handle a NO to STORE well (RFC 4314 §4).
    static func marksReadSilently(_ store: StoreFlags) -> Bool {
        store.action == .add && store.isSilent && store.unchangedSince == nil
            && store.flags == [.seen]
    }
}
