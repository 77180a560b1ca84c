import NIOCore
import Session
import Testing

@testable import Gateway

/// How long a server that owes an answer may be silent.
@Suite struct UpstreamClockTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private static func limits() -> GatewayConfiguration.Limits {
        var limits = GatewayConfiguration.Limits()
        limits.upstreamAnswerTime = .seconds(60)
        limits.upstreamWorkTime = .seconds(600)
        limits.upstreamTransferTime = .seconds(300)
        return limits
    }

    private static func at(_ seconds: Int64) -> NIODeadline { self.start + .seconds(seconds) }

    private static func clock() -> UpstreamClock {
        UpstreamClock(limits: self.limits(), at: self.start)
    }

    @Test func `each kind of answer has its own limit`() {
        let clock = Self.clock()
        for (awaited, seconds) in [
            (AwaitedAnswer.prompt, 60), (.rest, 60), (.transfer, 300), (.work, 600),
        ] {
            let limit = Int64(seconds)
            #expect(!clock.isExpired(awaited, isWritable: true, at: Self.at(limit - 1)))
            #expect(clock.isExpired(awaited, isWritable: true, at: Self.at(limit)))
        }
    }

    @Test func `octets of the server restart the time`() {
        var clock = Self.clock()
        clock.octetsSent(at: Self.at(10))
        clock.octetsMoved(at: Self.at(50))
        #expect(!clock.isExpired(.prompt, isWritable: true, at: Self.at(109)))
        #expect(clock.isExpired(.prompt, isWritable: true, at: Self.at(110)))
        // A connection on which nothing was asked for long is not late with the next command.
        clock.octetsSent(at: Self.at(5_000))
        #expect(!clock.isExpired(.prompt, isWritable: true, at: Self.at(5_059)))
    }

    @Test func `single octets do not extend the limit of a command without end`() {
        var clock = Self.clock()
        clock.octetsSent(at: Self.start)
        for second in stride(from: Int64(30), to: 600, by: 30) {
            clock.octetsMoved(at: Self.at(second))
            #expect(!clock.isExpired(.prompt, isWritable: true, at: Self.at(second + 1)))
        }
        clock.octetsMoved(at: Self.at(600))
        #expect(clock.isExpired(.prompt, isWritable: true, at: Self.at(601)))
        // What nobody asked for was not asked then.
        #expect(!clock.isExpired(.rest, isWritable: true, at: Self.at(601)))
        // What takes its time may: a long text is read, or a message after the other.
        #expect(!clock.isExpired(.work, isWritable: true, at: Self.at(601)))
        #expect(!clock.isExpired(.transfer, isWritable: true, at: Self.at(601)))
    }

    @Test func `time in which the gateway does not read does not count`() {
        var clock = Self.clock()
        clock.octetsSent(at: Self.start)
        clock.readingStopped(at: Self.at(30))
        clock.readingStopped(at: Self.at(5_000))
        for awaited in [AwaitedAnswer.prompt, .work, .transfer] {
            #expect(!clock.isExpired(awaited, isWritable: true, at: Self.at(9_000)))
        }
        clock.readingResumed(at: Self.at(9_000))
        #expect(!clock.isExpired(.prompt, isWritable: true, at: Self.at(9_059)))
        #expect(clock.isExpired(.prompt, isWritable: true, at: Self.at(9_060)))
        // 30 seconds had passed before, of the 600 that it has in all.
        clock.octetsMoved(at: Self.at(9_569))
        #expect(!clock.isExpired(.prompt, isWritable: true, at: Self.at(9_569)))
        #expect(clock.isExpired(.prompt, isWritable: true, at: Self.at(9_570)))
    }

    @Test func `a server that receives a message owes no other answer`() {
        var clock = Self.clock()
        #expect(!clock.isExpired(.message, isWritable: true, at: Self.at(9_000)))
        clock.octetsMoved(at: Self.at(9_000))
        #expect(!clock.isExpired(.message, isWritable: false, at: Self.at(9_299)))
        #expect(clock.isExpired(.message, isWritable: false, at: Self.at(9_300)))
        // A client that does not read is no reason for a server to take nothing.
        clock.readingStopped(at: Self.at(9_001))
        #expect(clock.isExpired(.message, isWritable: false, at: Self.at(9_300)))
    }
}
