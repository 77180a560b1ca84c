import NIOCore
import NIOEmbedded
import Testing

@testable import Gateway

/// Work for many sessions of a loop at once.
@Suite struct EventLoopSessionsTests {
    /// A session that works for a millisecond whenever it is told to.
    private final class Member: SessionHandle {
        var changes = 0
        var turns = 0
        var summary: SessionSummary? { nil }
        var isSending: Bool { false }

        func flush() {}
        func shutDown() {}
        func endByAdministrator() {}
        func auditDue() {}

        func permissionsChanged() {
            self.changes += 1
            let end = NIODeadline.now() + .milliseconds(1)
            while NIODeadline.now() < end {}
        }

        func workOn() { self.turns += 1 }
    }

    @Test
    func `a change reaches every session in turns that hold the event loop briefly`() {
        let loop = EmbeddedEventLoop()
        let state = EventLoopSessions()
        let members = (0..<100).map { _ in Member() }
        for member in members { state.add(member) }
        state.permissionsChanged(on: loop)
        // A second change while the first is told.
        state.permissionsChanged(on: loop)
        var turns = 0
        var before = 0
        while before < members.count, turns < 1_000 {
            loop.advanceTime(by: .microseconds(200))
            let changed = members.count { $0.changes > 0 }
            #expect(changed - before <= 20)
            before = changed
            turns += 1
        }
        #expect(turns >= 5)
        loop.advanceTime(by: .seconds(1))
        #expect(members.allSatisfy { $0.changes == 1 })
    }

    @Test func `a session that has ended before its turn is not called`() {
        let loop = EmbeddedEventLoop()
        let state = EventLoopSessions()
        let (one, other) = (Member(), Member())
        state.add(one)
        state.add(other)
        state.workLater(one, on: loop)
        state.workLater(other, on: loop)
        state.remove(one)
        loop.advanceTime(by: .seconds(1))
        #expect(one.turns == 0 && other.turns == 1)
    }

    @Test func `all sessions share the time of a round`() {
        let loop = EmbeddedEventLoop()
        let state = EventLoopSessions()
        #expect(state.hasTime(on: loop) && state.hasTime(on: loop))
        let end = NIODeadline.now() + .milliseconds(6)
        while NIODeadline.now() < end {}
        #expect(!state.hasTime(on: loop))
        // The next round.
        loop.run()
        #expect(state.hasTime(on: loop))
    }

    @Test func `no turn begins before the output of the previous one is flushed`() {
        let loop = EmbeddedEventLoop()
        let state = EventLoopSessions()
        let members = (0..<20).map { _ in Member() }
        for member in members { state.add(member) }
        state.permissionsChanged(on: loop)
        loop.advanceTime(by: .microseconds(200))
        let first = members.count { $0.changes > 0 }
        #expect(first > 0 && first < members.count)
        // However long the writing takes: the pause begins behind it.
        loop.advanceTime(by: .microseconds(199))
        #expect(members.count { $0.changes > 0 } == first)
        loop.advanceTime(by: .microseconds(1))
        #expect(members.count { $0.changes > 0 } > first)
    }
}
