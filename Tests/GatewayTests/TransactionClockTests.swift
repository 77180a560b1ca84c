import NIOCore
import Testing

@testable import Gateway

/// How long messages and their servers may take.
@Suite struct TransactionClockTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private static func at(_ seconds: Int64) -> NIODeadline { self.start + .seconds(seconds) }

    private static func clock() -> TransactionClock {
        TransactionClock(messageTime: .seconds(600), at: self.start)
    }

    @Test func `a message has a fixed time, and a second for each 1,000 octets`() {
        var clock = Self.clock()
        #expect(clock.messageEnd == nil)
        clock.progressed(message: 1, octets: 0, awaitsServer: false, at: Self.at(5))
        #expect(clock.messageEnd == Self.at(605))
        clock.progressed(message: 1, octets: 30_999, awaitsServer: false, at: Self.at(50))
        #expect(clock.messageEnd == Self.at(635))
        clock.progressed(message: 2, octets: 0, awaitsServer: false, at: Self.at(100))
        #expect(clock.messageEnd == Self.at(700))
        clock.progressed(message: nil, octets: 0, awaitsServer: false, at: Self.at(200))
        #expect(clock.messageEnd == nil)
    }

    @Test func `the time that a server takes does not count against the client`() {
        var clock = Self.clock()
        clock.progressed(message: 1, octets: 0, awaitsServer: false, at: Self.start)
        clock.progressed(message: 1, octets: 0, awaitsServer: true, at: Self.at(10))
        clock.serverSpoke(at: Self.at(110))
        #expect(clock.messageEnd == Self.at(700))
    }

    @Test func `a server has ten minutes for an answer`() {
        var clock = Self.clock()
        #expect(!clock.isServerExpired(at: Self.at(6_000)))
        clock.progressed(message: 1, octets: 0, awaitsServer: true, at: Self.at(10))
        #expect(!clock.isServerExpired(at: Self.at(609)))
        #expect(clock.isServerExpired(at: Self.at(610)))
        clock.serverSpoke(at: Self.at(600))
        clock.progressed(message: 1, octets: 0, awaitsServer: true, at: Self.at(600))
        #expect(!clock.isServerExpired(at: Self.at(1_199)))
        #expect(clock.isServerExpired(at: Self.at(1_200)))
    }

    @Test func `a connection is unused twenty seconds after its last message`() {
        var clock = Self.clock()
        clock.progressed(message: 1, octets: 0, awaitsServer: false, at: Self.start)
        #expect(!clock.isServerUnused(at: Self.at(100)))
        clock.progressed(message: nil, octets: 0, awaitsServer: false, at: Self.at(100))
        #expect(!clock.isServerUnused(at: Self.at(119)))
        #expect(clock.isServerUnused(at: Self.at(120)))
    }
}
