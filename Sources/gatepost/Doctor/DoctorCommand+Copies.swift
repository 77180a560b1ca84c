import Access
import Foundation
import Gateway
import Store

/// The checks of messages whose copies are not in Sent.
///
/// They add nothing when no copy is missing.
extension DoctorCommand {
    /// Copies that one finding names; the log names all.
    private static let maximumNamed = 10

    /// Reports copies of sent messages that wait because they could not be filed: those of this
    /// node's folder, and those of all nodes that share the store.
    ///
    /// The store is nil if its file is unusable.
    static func checkCopies(
        _ store: PermissionStore?,
        configuration: GatewayConfiguration
    ) -> Finding {
        let files = SentCopies.waiting(store: configuration.store).map {
            URL(fileURLWithPath: $0).deletingPathExtension().lastPathComponent
        }
        let seconds = Int64(SentCopies.waitingTime)
        let stored = (try? store?.waitingSentCopies(after: seconds)) ?? []
        let count = Set(files + stored.map(\.name)).count
        guard count > 0 else { return Finding(subject: "copies in Sent", state: "ok") }
        return Finding(
            subject: "copies in Sent",
            state: "failed",
            // Never print the file names: a shell could interpret one that is pasted.
            remedy:
                "\(count) could not be filed: see the log for the reason; the running "
                + "gateway tries again after 30 seconds, 5 minutes, and then each hour"
        )
    }

    /// Reports copies whose gateway stopped before the server had answered.
    ///
    /// The store is nil if its file is unusable.
    static func checkUnknownCopies(
        _ store: PermissionStore?,
        configuration: GatewayConfiguration
    ) -> [Finding] {
        let unknown = SentCopies.unknown(store: configuration.store)
        let files = Set(unknown.map(\.name))
        let elsewhere = ((try? store?.unknownSentCopies()) ?? []).filter {
            !files.contains($0.name)
        }
        guard !unknown.isEmpty || !elsewhere.isEmpty else { return [] }
        let accounts = (try? store?.load())?.access.accounts
        func text(_ account: AccountID, messageID: String?) -> String {
            MissingSentCopy(
                account: accounts?[account]?.address.description ?? "account \(account.rawValue)",
                messageID: messageID
            ).text
        }
        var findings: [Finding] = []
        if !unknown.isEmpty {
            let texts = unknown.map { text($0.account, messageID: $0.messageID) }
            findings.append(
                self.unknown(
                    texts,
                    remedy: "In the folder sent beside the store, rename what ends in .unknown to "
                        + ".eml if the message went out, and remove it otherwise; then restart the "
                        + "gateway"
                )
            )
        }
        if !elsewhere.isEmpty {
            let texts = elsewhere.map { text($0.account, messageID: $0.messageID) }
            findings.append(
                self.unknown(
                    texts,
                    remedy: "Decide at the node that took the message. If it is lost, decide in "
                        + "the database: see Several Gateways"
                )
            )
        }
        return findings
    }

    /// The finding for copies whose gateway stopped too early.
    private static func unknown(_ texts: [String], remedy: String) -> Finding {
        Finding(
            subject: "copies of messages that perhaps went out",
            state: "failed",
            remedy: "\(self.list(texts)): the gateway stopped before the mail server answered. "
                + remedy
        )
    }

    /// Reports messages that the running gateway sent without a copy.
    static func checkMissingCopies(_ configuration: GatewayConfiguration) async -> [Finding] {
        let answer = try? await ControlClient.ask(
            ControlMessage.Request(state: true, actor: Actor.current.recorded),
            at: configuration.controlSocket
        )
        guard let missing = answer?.state?.missingCopies, !missing.isEmpty else { return [] }
        return [
            Finding(
                subject: "messages without a copy in Sent",
                state: "failed",
                remedy:
                    "\(self.list(missing.map(\.text))): the disk took no copy. Make room in the "
                    + "folder sent beside the store; account set --sent-copy-required refuses such "
                    + "messages. This line stays until the gateway restarts"
            )
        ]
    }

    private static func list(_ texts: [String]) -> String {
        let rest = texts.count - self.maximumNamed
        return texts.prefix(self.maximumNamed).joined(separator: ", ")
            + (rest > 0 ? " and \(rest) more" : "")
    }
}
