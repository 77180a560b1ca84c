import IMAP
import NIOCore
import Testing

@testable import Session

/// NOTIFY, without a session.
@Suite struct NotifyingTests {
    private static func context() throws -> (Notifying, RecordedContext) {
        (Notifying(tag: ByteBuffer(string: "a1")), try RecordedContext())
    }

    @Test func `the command is answered once the last server has answered`() throws {
        var (notifying, context) = try Self.context()
        notifying.complete(in: &context)
        #expect(context.log == [], "it is not known which servers have to answer")
        notifying.wait(for: [1, 2])
        notifying.complete(in: &context)
        notifying.notified(2, failed: false, in: &context)
        notifying.notified(2, failed: false, in: &context)
        notifying.notified(3, failed: false, in: &context)
        #expect(context.log == [])
        notifying.notified(1, failed: false, in: &context)
        #expect(context.log == ["S: a1 OK NOTIFY completed"])
    }

    @Test func `without a server to wait for the answer comes at once`() throws {
        var (notifying, context) = try Self.context()
        notifying.wait(for: [])
        notifying.complete(in: &context)
        #expect(context.log == ["S: a1 OK NOTIFY completed"])
    }

    @Test(arguments: [true, false])
    func `the client is told of a server that is lost, and of mailboxes that are too many`(
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

    @Test func `what servers answer is the session's`() throws {
        var (notifying, context) = try Self.context()
        notifying.wait(for: [1])
        #expect(try !notifying.received(.continued, from: 1, in: &context))
        #expect(try !notifying.received(.ready, from: 1, in: &context))
        let completion = Completion(condition: .ok, code: nil)
        #expect(try !notifying.received(.completed(completion), from: 1, in: &context))
        #expect(context.log == [])
    }
}
