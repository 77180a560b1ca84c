package import Access

/// Which records of the audit log to read.
package struct AuditFilter: Sendable {
    /// An address; an alias finds the records of its account. Nil for every account.
    package var account: String?
    /// The actor's login or operating-system name; nil for everybody.
    package var user: String?
    /// The earliest moment; nil for the start of the log.
    package var since: Moment?
    /// The moment before which records are read; nil for the end of the log.
    package var until: Moment?

    /// Creates a filter; without arguments it matches every record.
    package init(
        account: String? = nil,
        user: String? = nil,
        since: Moment? = nil,
        until: Moment? = nil
    ) {
        self.account = account
        self.user = user
        self.since = since
        self.until = until
    }
}
