import SMTP
import Testing

@testable import Session

/// Which replies of a submission server mean that the credential is wrong.
@Suite struct SubmissionLoginTests {
    private static func reply(_ text: String) -> ServerReply {
        ServerReply(
            code: Int(text.prefix(3)) ?? 0,
            lines: text.dropFirst(4).split(separator: "|").map(String.init)
        )
    }

    @Test(arguments: [
        (["220 x", "250 x|AUTH PLAIN", "535 5.7.8 wrong"], SubmissionFault.credentialRefused),
        (["220 x", "250 x|AUTH PLAIN", "554 no"], .credentialRefused),
        (["220 x", "250 x|AUTH PLAIN", "454 4.7.0 busy"], .temporarilyRefused),
        (["220 x", "250 x|AUTH PLAIN", "421 4.3.2 bye"], .unreachable),
        (
            ["220 x", "250 x|AUTH LOGIN", "334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "535 wrong"],
            .credentialRefused
        ),
        (["220 x", "250 x|AUTH LOGIN", "504 not that way"], .noMechanism),
        (["220 x", "250 x|AUTH CRAM-MD5"], .noMechanism),
    ])
    func `a failed login has the fault that its reply means`(
        replies: [String],
        fault: SubmissionFault
    ) {
        var login = SubmissionLogin.scripted()
        var last: SubmissionLogin.Step?
        for reply in replies { last = login.replyReceived(Self.reply(reply)) }
        #expect(last == .fail(fault))
        #expect(!login.awaitsVerdict)
    }

    @Test func `the verdict is awaited once the whole credential was sent`() {
        var login = SubmissionLogin.scripted()
        let steps = ["220 x", "250 x|AUTH LOGIN", "334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 ok"]
        let awaits = steps.map { step in
            _ = login.replyReceived(Self.reply(step))
            return login.awaitsVerdict
        }
        #expect(awaits == [false, false, false, true, false])
    }
}
