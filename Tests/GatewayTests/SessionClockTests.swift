import NIOCore
import Testing

@testable import Gateway

/// How long clients may be silent or slow.
@Suite struct SessionClockTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private static func at(_ seconds: Int64) -> NIODeadline { self.start + .seconds(seconds) }

    private static func clock(checkInterval: TimeAmount? = nil) -> SessionClock {
        SessionClock(
            beforeLogin: .seconds(30),
            afterLogin: .seconds(300),
            checkInterval: checkInterval,
            at: self.start
        )
    }

    @Test func `before the login the time begins with the connection`() {
        var clock = Self.clock()
        clock.touch(at: Self.at(20))
        #expect(!clock.isExpired(at: Self.at(29)))
        #expect(clock.isExpired(at: Self.at(30)))
    }

    @Test func `a refused login restarts the time`() {
        var clock = Self.clock()
        clock.loginAnswered(isLoggedIn: false, at: Self.at(20))
        clock.touch(at: Self.at(40))
        #expect(!clock.isExpired(at: Self.at(49)))
        #expect(clock.isExpired(at: Self.at(50)))
    }

    @Test func `the time before the login does not run while a password is checked`() {
        var clock = Self.clock()
        clock.loginBegan(answerWithin: .seconds(140), at: Self.at(20))
        clock.touch(at: Self.at(40))
        #expect(!clock.isExpired(at: Self.at(159)) && clock.isExpired(at: Self.at(160)))
        #expect(clock.untilNextCheck(at: Self.at(30)) == .seconds(130))
        clock.loginAnswered(isLoggedIn: false, at: Self.at(150))
        #expect(!clock.isExpired(at: Self.at(179)) && clock.isExpired(at: Self.at(180)))
    }

    @Test func `after the login the time begins at the last octets`() {
        var clock = Self.clock()
        clock.loginAnswered(isLoggedIn: true, at: Self.at(10))
        #expect(!clock.isExpired(at: Self.at(309)) && clock.isExpired(at: Self.at(310)))
        clock.touch(at: Self.at(100))
        #expect(!clock.isExpired(at: Self.at(399)) && clock.isExpired(at: Self.at(400)))
    }

    @Test func `an earlier limit applies, and a later one does not`() {
        var clock = Self.clock()
        clock.limit = Self.at(20)
        #expect(!clock.isExpired(at: Self.at(19)) && clock.isExpired(at: Self.at(20)))
        clock.limit = Self.at(40)
        #expect(clock.isExpired(at: Self.at(30)))
    }

    @Test func `a client that waits for a server is not silent`() {
        var clock = Self.clock()
        clock.isSuspended = true
        #expect(!clock.isExpired(at: Self.at(3_000)))
        clock.isSuspended = false
        #expect(clock.isExpired(at: Self.at(3_000)))
    }

    @Test func `the next check is at the end of the time, and at least a second away`() {
        #expect(Self.clock().untilNextCheck(at: Self.at(10)) == .seconds(20))
        #expect(Self.clock().untilNextCheck(at: Self.at(30)) == .seconds(1))
        let often = Self.clock(checkInterval: .seconds(10))
        #expect(often.untilNextCheck(at: Self.start) == .seconds(10))
        #expect(often.untilNextCheck(at: Self.at(25)) == .seconds(5))
    }
}
