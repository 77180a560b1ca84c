import NIOCore
import Testing

@testable import Session

/// Short answers to the client are joined into few writes.
@Suite struct JoinedAnswersTests {
    @Test func `short answers are joined in order`() {
        var actions: [Action] = []
        let lines = (0..<20_000).map { "* \($0) OK\r\n" }
        for line in lines { actions.sendToClient(ByteBuffer(string: line)) }
        let sent = actions.compactMap(\.octetsToClient)
        #expect(sent.count == actions.count)
        #expect(sent.map { String(buffer: $0) }.joined() == lines.joined())
        #expect(sent.count < 100)
        #expect(sent.allSatisfy { $0.readableBytes <= 4_096 })
    }

    @Test func `other actions keep their place between the octets`() {
        var actions: [Action] = []
        actions.sendToClient(ByteBuffer(string: "a"))
        actions.append(.startTLS)
        actions.sendToClient(ByteBuffer(string: "b"))
        actions.sendToClient(ByteBuffer(string: "c"))
        actions.append(.closeClient)
        #expect(
            actions == [
                .toClient(ByteBuffer(string: "a")), .startTLS, .toClient(ByteBuffer(string: "bc")),
                .closeClient,
            ]
        )
    }

    @Test func `long answers are not joined with others`() {
        var actions: [SubmissionAction] = []
        let long = ByteBuffer(repeating: 7, count: 4_096)
        actions.sendToClient(ByteBuffer(string: "a"))
        actions.sendToClient(long)
        actions.sendToClient(ByteBuffer(string: "b"))
        #expect(
            actions == [
                .toClient(ByteBuffer(string: "a")), .toClient(long),
                .toClient(ByteBuffer(string: "b")),
            ]
        )
    }

    @Test func `octets that are joined to a slice do not change the original buffer`() {
        var actions: [Action] = []
        let read = ByteBuffer(string: "* 1 EXISTS\r\n* 2 EXISTS\r\n")
        if let first = read.getSlice(at: 0, length: 12) { actions.sendToClient(first) }
        actions.sendToClient(ByteBuffer(string: "a OK done\r\n"))
        #expect(String(buffer: read) == "* 1 EXISTS\r\n* 2 EXISTS\r\n")
        #expect(actions == [.toClient(ByteBuffer(string: "* 1 EXISTS\r\na OK done\r\n"))])
    }
}
