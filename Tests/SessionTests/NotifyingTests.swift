import IMAP
import NIOCore
import Testing

@testable import Session

/// The state machine of NOTIFY, without a session.
@Suite struct NotifyingTests {
    private static func context() throws -> (Notifying, RecordedContext) {
        (Notifying(tag: ByteBuffer(string: "a1")), try RecordedContext())
    }

    @Test func `NOTIFY completes once the last server has answered`() throws {
        var (notifying, context) = try Self.context()
        notifying.complete(in: &context)
        #expect(context.log == [], "the accounts are not known yet")
        notifying.wait(for: [1, 2])
        notifying.complete(in: &context)
        notifying.notified(2, failed: false, in: &context)
        notifying.notified(2, failed: false, in: &context)
        notifying.notified(3, failed: false, in: &context)
        #expect(context.log == [])
        notifying.notified(1, failed: false, in: &context)
        #expect(context.log == ["S: a1 OK NOTIFY completed"])
    }

    @Test func `NOTIFY without a server to wait for completes at once`() throws {
        var (notifying, context) = try Self.context()
        notifying.wait(for: [])
        notifying.complete(in: &context)
        #expect(context.log == ["S: a1 OK NOTIFY completed"])
    }

    @Test(arguments: [true, false])
    func `a lost server and too many mailboxes each cause an untagged NO`(
        isLost: Bool
    ) throws {
        var (notifying, context) = try Self.context()
        notifying.wait(for: [1, 2])
        if isLost {
            #expect(try notifying.received(.lost(answer: .unavailable), from: 1, in: &context))
        } else {
            notifying.lacksPart()
            notifying.notified(1, failed: false, in: &context)
        }
        notifying.notified(2, failed: false, in: &context)
        #expect(
            context.log == [
                "S: * NO [UNAVAILABLE] Some mailboxes cannot be reached now",
                "S: a1 OK NOTIFY completed",
            ]
        )
    }

    @Test func `NOTIFY leaves the answers of servers to the session`() throws {
        var (notifying, context) = try Self.context()
        notifying.wait(for: [1])
        #expect(try !notifying.received(.continued, from: 1, in: &context))
        #expect(try !notifying.received(.ready, from: 1, in: &context))
        let completion = Completion(condition: .ok, code: nil)
        #expect(try !notifying.received(.completed(completion), from: 1, in: &context))
        #expect(context.log == [])
    }
}
