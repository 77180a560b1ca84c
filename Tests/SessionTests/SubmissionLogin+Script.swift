import NIOCore
import SASL
import SMTP
import Session
import Testing

extension SubmissionLogin {
    /// The login of the gateway `gw.example` as `u` with the password `p`.
    static func scripted(startsTLS: Bool = false) -> SubmissionLogin {
        let credential = UpstreamCredential(
            username: Array("u".utf8),
            proof: .password(Secret(Array("p".utf8)))
        )
        return SubmissionLogin(credential: credential, startsTLS: startsTLS, name: "gw.example")
    }

    /// Logs in at a server that sends these replies.
    ///
    /// - Returns: the commands that the server got, and its extensions.
    static func run(against replies: [String]) -> (sent: String, profile: SubmissionProfile?) {
        var driver = LoginDriver(self.scripted())
        var sent = ""
        do {
            for reply in replies {
                try driver.receive(ByteBuffer(string: reply))
                for action in try driver.next() ?? [] {
                    switch action {
                    case .send(let octets): sent += String(buffer: octets)
                    case .ready(let profile): return (sent, profile)
                    case .startTLS, .fail: Issue.record("the login fails")
                    }
                }
            }
        } catch {
            Issue.record("the login fails: \(error.explanation)")
        }
        return (sent, nil)
    }
}
