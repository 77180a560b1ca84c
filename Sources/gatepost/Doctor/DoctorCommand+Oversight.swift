import Access
import Gateway
import Store

/// What `doctor` finds about the record and the owners' say.
extension DoctorCommand {
    /// A message for an owner should have been delivered by then.
    private static let noticeTime: Int64 = 600

    static func checkOversight(
        _ store: PermissionStore,
        configuration: GatewayConfiguration
    ) throws -> [Finding] {
        [try Self.checkAudit(store, configuration: configuration), try Self.checkNotices(store)]
    }

    private static func checkAudit(
        _ store: PermissionStore,
        configuration: GatewayConfiguration
    ) throws -> Finding {
        guard let masterKey = try? MasterKey(file: configuration.masterKey) else {
            return Finding(
                subject: "audit log",
                state: "failed",
                remedy: "its seal cannot be checked without the master key"
            )
        }
        let found = try store.verifyAudit(masterKey)
        let mode = configuration.oversight.audit.rawValue
        guard let problem = found.problems.first else {
            return Finding(subject: "audit log", state: "ok (\(found.count) records, \(mode))")
        }
        return Finding(
            subject: "audit log",
            state: "failed",
            remedy: "\(problem): gatepost audit verify"
        )
    }

    /// Mailboxes that the finding names; the log names every one.
    private static let namedMailboxes = 3

    /// Copies of interrupted transfers that nobody could tell from other messages.
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
                "\(places.joined(separator: ", "))\(more): look there for messages that are twice, "
                + "and delete one of each; this line goes after 30 days"
        )
    }

    private static func checkNotices(_ store: PermissionStore) throws -> Finding {
        let now = Moment.current.seconds
        let waiting = try store.notices().filter { now - $0.created.seconds > Self.noticeTime }
        guard !waiting.isEmpty else { return Finding(subject: "messages for owners", state: "ok") }
        return Finding(
            subject: "messages for owners",
            state: "failed",
            remedy:
                "\(waiting.count) could not be delivered: the log says why; they are tried again"
        )
    }
}
