import SASL
import Testing

@testable import Session

/// The SASL messages of clients, in the mechanisms that the gateway offers.
@Suite struct SASLExchangeTests {
    private static func credentials(_ name: String, _ password: String) -> SASLExchange.Step {
        .authenticate(
            Credentials(name: Array(name.utf8), password: Secret(Array(password.utf8)))
        )
    }

    private static let rows: [(SASLExchange, String, SASLExchange.Step)] = [
        (.plain, "AGFubmEAcHc=", credentials("anna", "pw")),
        (.plain, "YW5uYQBhbm5hAHB3", credentials("anna", "pw")),
        (.plain, "Ym9iAGFubmEAcHc=", .otherIdentity),
        (.plain, "*", .cancelled),
        (.plain, "AGFubmEAcHc", .malformedBase64),
        (.plain, "a b", .malformedBase64),
        (.plain, "", .malformedMessage),
        (.plain, "YW5uYQ==", .malformedMessage),
        (.plain, "AABwdw==", .malformedMessage),
        (.loginName, "YW5uYQ==", .challenge(.loginPassword(name: Array("anna".utf8)))),
        (.loginName, "*", .cancelled),
        (.loginName, "?", .malformedBase64),
        (.loginPassword(name: Array("anna".utf8)), "cHc=", credentials("anna", "pw")),
        (.loginPassword(name: Array("anna".utf8)), "*", .cancelled),
    ]

    @Test(arguments: Self.rows)
    func `each line of a client leads to one step`(
        exchange: SASLExchange,
        line: String,
        step: SASLExchange.Step
    ) {
        #expect(exchange.lineReceived(Array(line.utf8)) == step)
    }

    @Test func `a login name has an account after its slash`() {
        let message = Array("\0anna/bob\0pw".utf8)
        guard case .authenticate(let credentials) = SASLExchange.plain.messageReceived(message)
        else {
            Issue.record("no credentials")
            return
        }
        #expect(credentials.login == Array("anna".utf8))
        #expect(credentials.account == Array("bob".utf8))
    }
}
