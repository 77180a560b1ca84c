import Access
import IMAP

package import struct NIOCore.ByteBuffer

/// A server's refusal of a command: `NO [OVERQUOTA] Quota exceeded`.
package struct ServerRefusal: Equatable, Sendable {
    /// Octets of the server's text in the log.
    private static let maximumLoggedOctets = 200

    private let condition: Condition
    private let code: ResponseCode?
    /// The server's text; nil if the user does not own the account.
    let words: RefusalText?
    /// The server's text in printable form, for the log.
    package let text: String

    /// Replaces a missing code by OVERQUOTA if the text says so.
    /// - Parameters:
    ///   - text: the text without CR LF.
    ///   - isOwner: whether the user owns the account.
    init(_ condition: Condition, code: ResponseCode?, text: ByteBuffer, isOwner: Bool) {
        let words = RefusalText(text)
        let isUncoded = code == nil || code == .unknown || code == .alert
        self.condition = condition
        self.code = isUncoded && words.map(Quirks.isOverQuota) ?? false ? .overQuota : code
        self.words = isOwner ? words : nil
        self.text = Reply.printable(text, maximumOctets: Self.maximumLoggedOctets)
    }

    /// The refusal in a whole response, for the log; nil if the response is no refusal.
    package init?(response: ByteBuffer) {
        guard case .tagged(_, let condition, let text)? = try? ResponseHead(response),
            condition == .no || condition == .bad
        else { return nil }
        self.init(condition, code: (try? ResponseText(text))?.code, text: text, isOwner: false)
    }

    /// The condition and code for the log, as in `NO [LIMIT]`.
    package var name: String {
        let code = self.code.map { $0 == .unknown ? "" : " [\($0.name)]" } ?? ""
        return (self.condition == .bad ? "BAD" : "NO") + code
    }

    /// Whether an administrator should see it. A missing mailbox is not logged, because any client
    /// may name one.
    package var isLogged: Bool {
        switch self.code {
        case .nonExistent, .tryCreate: false
        default: true
        }
    }

    /// The response code of the client's answer.
    ///
    /// - Parameter code: the server's code, or its replacement for this user.
    func shown(with code: ResponseCode?) -> ResponseCode? {
        switch code {
        case nil, .unknown: self.code?.forClient
        // ALERT tells the client to show the text, so it needs one.
        case .alert: self.code == .alert && self.words != nil ? .alert : self.code?.forClient
        default: code?.forClient
        }
    }
}

extension ClientSession {
    /// A server has completed a command. A refusal is logged, and kept until the client's command
    /// is answered.
    mutating func refusalReceived(
        _ account: AccountID,
        condition: Condition,
        code: ResponseCode?,
        text: ByteBuffer
    ) {
        guard condition == .no || condition == .bad else { return }
        let isOwner = self.access(to: account).isOwner
        let refusal = ServerRefusal(condition, code: code, text: text, isOwner: isOwner)
        let isUpkeep = self.upstreams[account]?.housekeeping == .upkeep
        if refusal.isLogged, !isUpkeep { self.actions.append(.serverRefused(account, refusal)) }
        self.serverRefusal = refusal
    }
}
