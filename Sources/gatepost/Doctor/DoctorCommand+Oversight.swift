import Access
import Gateway
import Store

/// The checks of the audit log, interrupted moves and notices to mailbox owners.
extension DoctorCommand {
    /// The time in seconds after which an undelivered notice is a problem.
    private static let noticeTime: Int64 = 600

    /// Checks the audit log and the notices to mailbox owners.
    static func checkOversight(
        _ store: PermissionStore,
        configuration: GatewayConfiguration
    ) throws -> [Finding] {
        [try Self.checkAudit(store, configuration: configuration), try Self.checkNotices(store)]
    }

    /// Checks that no record of this node's audit log was changed or removed, as `gatepost audit
    /// verify` does without a seal for all nodes.
    ///
    /// - Returns: the number of records and the value of `audit`, or the first problem.
    /// - Throws: `StoreError` if the log cannot be read.
    private static func checkAudit(
        _ store: PermissionStore,
        configuration: GatewayConfiguration
    ) throws -> Finding {
        guard let masterKey = try? MasterKey(file: configuration.masterKey) else {
            return Finding(
                subject: "audit log",
                state: "failed",
                remedy: "the seal cannot be checked without the master key: repair masterKey"
            )
        }
        let found = try store.verifyOwnAudit(masterKey)
        let mode = configuration.oversight.audit.rawValue
        guard let problem = found.problems.first else {
            return Finding(subject: "audit log", state: "ok (\(found.count) records, \(mode))")
        }
        return Finding(
            subject: "audit log",
            state: "failed",
            remedy: "\(problem): see gatepost audit verify"
        )
    }

    /// The number of mailboxes that the finding names; the log names all of them.
    private static let namedMailboxes = 3

    /// Reports copies of interrupted moves between accounts that the gateway could not tell from
    /// other messages.
    static func checkCopiesLeft(_ store: PermissionStore) throws -> Finding {
        let subject = "copies left by interrupted moves"
        let left = try store.copiesLeft()
        guard !left.isEmpty else { return Finding(subject: subject, state: "ok") }
        let places = left.prefix(Self.namedMailboxes).map {
            "up to \($0.messages) in \($0.folder) of \($0.account)"
        }
        let more = left.count > Self.namedMailboxes ? ", …" : ""
        return Finding(
            subject: subject,
            state: "warning",
            remedy:
                "\(places.joined(separator: ", "))\(more): look there for duplicate messages, and "
                + "delete one of each; this warning ends after 30 days"
        )
    }

    /// The readings of a group's members that may fail before that is a problem.
    private static let missedReadings: Int64 = 4

    /// Reports groups whose members were not read from the directory lately.
    /// - Returns: no finding if no group comes from the directory.
    static func checkGroups(
        _ store: PermissionStore,
        configuration: GatewayConfiguration
    ) throws -> [Finding] {
        let groups = try store.directoryGroups()
        guard !groups.isEmpty else { return [] }
        let subject = "groups of the directory"
        guard let directory = configuration.authentication.directory else {
            return [
                Finding(
                    subject: subject,
                    state: "warning",
                    remedy:
                        "no directory is configured: \(groups.count) groups keep their members; set "
                        + "authentication.ldap, or remove the groups"
                )
            ]
        }
        let now = Moment.current.seconds
        let limit = Int64(directory.groupMinutes) * 60 * Self.missedReadings
        let late = groups.filter { group in group.state.read.map { now - $0 > limit } ?? true }
        guard let first = late.first else { return [Finding(subject: subject, state: "ok")] }
        let read = first.state.read.map { "since \(Output.date($0))" } ?? "yet"
        let reason = first.state.failure ?? "the gateway does not run"
        return [
            Finding(
                subject: subject,
                state: "warning",
                remedy:
                    "\(late.count) of \(groups.count) groups keep old members; \(first.name) was not "
                    + "read \(read): \(reason). Then: gatepost group refresh"
            )
        ]
    }

    /// Reports notices to mailbox owners that were not delivered in time (``noticeTime``).
    ///
    /// A notice is a message that the gateway stores in the owner's inbox.
    private static func checkNotices(_ store: PermissionStore) throws -> Finding {
        let now = Moment.current.seconds
        let waiting = try store.notices().filter { now - $0.created.seconds > Self.noticeTime }
        guard !waiting.isEmpty else { return Finding(subject: "messages for owners", state: "ok") }
        return Finding(
            subject: "messages for owners",
            state: "failed",
            remedy:
                "\(waiting.count) not delivered: see the log for the reason; the gateway tries again"
        )
    }
}
