import Access
import IMAP

package import struct NIOCore.ByteBuffer

/// The refusal of a command by a server: `NO [OVERQUOTA] Quota exceeded`.
package struct ServerRefusal: Equatable, Sendable {
    /// Octets of a server's text in the log.
    private static let maximumLoggedOctets = 200

    private let condition: Condition
    private let code: ResponseCode?
    /// The server's words, where the user is the owner of its account.
    let words: ServerWords?
    /// What the server said, printable.
    package let text: String

    /// - Parameters:
    ///   - text: without its CR LF.
    ///   - isOwner: whether the user owns the account.
    init(_ condition: Condition, code: ResponseCode?, text: ByteBuffer, isOwner: Bool) {
        let words = ServerWords(text)
        let isUncoded = code == nil || code == .unknown || code == .alert
        self.condition = condition
        self.code = isUncoded && words.map(Quirks.isOverQuota) ?? false ? .overQuota : code
        self.words = isOwner ? words : nil
        self.text = Reply.printable(text, maximumOctets: Self.maximumLoggedOctets)
    }

    /// The refusal in a whole response, for the log; nil where the response is none.
    package init?(response: ByteBuffer) {
        guard case .tagged(_, let condition, let text)? = try? ResponseHead(response),
            condition == .no || condition == .bad
        else { return nil }
        self.init(condition, code: (try? ResponseText(text))?.code, text: text, isOwner: false)
    }

    /// What kind of refusal it is, for the log.
    package var name: String {
        let code = self.code.map { $0 == .unknown ? "" : " [\($0.name)]" } ?? ""
        return (self.condition == .bad ? "BAD" : "NO") + code
    }

    /// Whether an administrator should know of it: any client may name what is not there.
    package var isLogged: Bool {
        switch self.code {
        case .nonExistent, .tryCreate: false
        default: true
        }
    }

    /// The code in the client's answer.
    ///
    /// - Parameter code: the server's, or what takes its place for this user.
    func shown(with code: ResponseCode?) -> ResponseCode? {
        switch code {
        case nil, .unknown: self.code?.forClient
        // An alert without its words is none.
        case .alert: self.code == .alert && self.words != nil ? .alert : self.code?.forClient
        default: code?.forClient
        }
    }
}

extension ClientSession {
    /// A server completed a command. A refusal is logged, and kept while the client's command is answered.
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
