import IMAP
import NIOCore
import Session
import Store

/// What the log of mail servers tells of a connection.
extension UpstreamConnection {
    func log(_ what: StaticString, error: (any Error)?) {
        self.logText(what, error: error.map { "\($0)" })
    }

    /// The server sent a line that cannot be read.
    func unreadable(_ line: UnreadableLine) {
        self.logText("sends what cannot be read", error: nil, line: line)
    }

    /// The server refused a command.
    func refused(_ refusal: ServerRefusal) {
        self.logText("refused a command", error: refusal.name, text: refusal.text)
    }

    /// What the server said after the login makes it unusable.
    func failed(_ failure: UpstreamLogin.Failure) {
        self.log("cannot be used any more", error: failure)
    }

    func logText(
        _ what: StaticString,
        error: String?,
        line: UnreadableLine? = nil,
        text: String? = nil
    ) {
        guard let loop = self.loop, let target = self.target else { return }
        self.upstream.serverLog.log(
            "mail server \(what)",
            account: target,
            at: target.imap,
            error: error,
            line: line,
            text: text,
            on: loop
        )
    }
}
