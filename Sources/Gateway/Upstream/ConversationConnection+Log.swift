import IMAP
import NIOCore
import Session
import Store

extension ConversationConnection {
    /// Logs a response that refuses a command.
    func logRefusal(_ response: ByteBuffer, on loop: any EventLoop) {
        guard let refusal = ServerRefusal(response: response), refusal.isLogged else { return }
        self.upstream.serverLog.log(
            "mail server refused a command of the upstream",
            account: self.target,
            at: self.target.imap,
            error: refusal.name,
            text: refusal.text,
            on: loop
        )
    }
}
