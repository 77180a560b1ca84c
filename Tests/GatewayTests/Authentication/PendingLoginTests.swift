import Access
import NIOCore
import NIOEmbedded
import Testing

@testable import Gateway

/// The answer to one login: once, on its loop, not early, and not at all for who has left.
@Suite struct PendingLoginTests {
    private final class Bench {
        let loop = EmbeddedEventLoop()
        var answers: [String] = []
        private(set) var login: PendingLogin?

        init() {
            let bound = NIOLoopBound(self, eventLoop: self.loop)
            self.login = PendingLogin(
                whenRight: .accepted(UserID(1), account: nil),
                slots: [],
                network: Network(text: "192.0.2.7"),
                record: AuditRecord(event: "login", outcome: .refused, actor: "anna"),
                loop: self.loop
            ) { bound.value.answers.append(Bench.name($0)) }
        }

        static func name(_ answer: Authenticator.Answer) -> String {
            switch answer {
            case .accepted(let user, _): "accepted \(user.rawValue)"
            case .refused: "refused"
            case .overloaded: "overloaded"
            case .unavailable: "unavailable"
            }
        }
    }

    @Test func `an answer arrives on the event loop, and a second answer is ignored`() {
        let bench = Bench()
        bench.login?.finish(.refused)
        #expect(bench.answers == [])
        bench.loop.run()
        bench.login?.finish(.overloaded)
        bench.login?.finish(.refused, in: .seconds(1))
        bench.loop.advanceTime(by: .seconds(2))
        #expect(bench.answers == ["refused"])
    }

    @Test(arguments: [1, 250, 8_000] as [Int64])
    func `a delayed answer arrives after its delay and not before`(milliseconds: Int64) {
        let bench = Bench()
        bench.login?.finish(.refused, in: .milliseconds(milliseconds))
        bench.loop.advanceTime(by: .milliseconds(milliseconds) - .nanoseconds(1))
        #expect(bench.answers == [])
        bench.loop.advanceTime(by: .nanoseconds(1))
        #expect(bench.answers == ["refused"])
    }

    @Test func `a cancelled login receives no answer, whenever it was cancelled`() {
        let before = Bench()
        before.login?.cancel()
        before.login?.finish(.refused)
        before.loop.run()
        #expect(before.answers == [] && before.login?.isCancelled == true)
        let between = Bench()
        between.login?.finish(.refused, in: .seconds(1))
        between.loop.advanceTime(by: .milliseconds(500))
        between.login?.cancel()
        between.loop.advanceTime(by: .seconds(1))
        #expect(between.answers == [])
    }

    @Test func `an accepted login is answered with its user`() {
        let bench = Bench()
        if let login = bench.login { login.finish(login.whenRight) }
        bench.loop.run()
        #expect(bench.answers == ["accepted 1"])
    }
}
