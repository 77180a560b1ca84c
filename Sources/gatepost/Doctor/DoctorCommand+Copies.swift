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

    /// Reports copies whose gateway stopped before the server had answered.
    ///
    /// The store is nil if its file is unusable.
    static func checkUnknownCopies(
        _ store: PermissionStore?,
        configuration: GatewayConfiguration
    ) -> [Finding] {
        let unknown = SentCopies.unknown(store: configuration.store)
        guard !unknown.isEmpty else { return [] }
        let accounts = (try? store?.load())?.access.accounts
        let texts = unknown.map { account, messageID in
            MissingSentCopy(
                account: accounts?[account]?.address.description ?? "account \(account.rawValue)",
                messageID: messageID
            ).text
        }
        return [
            Finding(
                subject: "copies of messages that perhaps went out",
                state: "failed",
                remedy: "\(self.list(texts)): the gateway stopped before the mail server answered. "
                    + "In the folder sent beside the store, rename what ends in .unknown to .eml if "
                    + "the message went out, and remove it otherwise; then restart the gateway"
            )
        ]
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
