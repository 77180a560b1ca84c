import NIOCore
import NIOEmbedded
import Testing

@testable import TLS

/// What waits to be encrypted: in order, each settled once.
@Suite struct PendingWritesTests {
    private let loop = EmbeddedEventLoop()

    /// A write whose end is noted under its text.
    private func append(
        _ text: String,
        to writes: inout PendingWrites,
        _ settled: Settled
    ) {
        let promise = self.loop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { result in
            switch result {
            case .success: settled.all.append(text)
            case .failure: settled.all.append("-\(text)")
            }
        }
        writes.append(ByteBuffer(string: text), promise: promise)
    }

    private final class Settled {
        var all: [String] = []
    }

    private static func texts(_ writes: [PendingWrites.Write]?) -> [String]? {
        writes?.map { String(buffer: $0.octets) }
    }

    @Test func `only what was flushed is taken, in order and once`() {
        var writes = PendingWrites()
        let settled = Settled()
        #expect(writes.takeFlushed() == nil)
        writes.flush()
        #expect(writes.takeFlushed() == nil)
        self.append("a", to: &writes, settled)
        self.append("b", to: &writes, settled)
        #expect(writes.takeFlushed() == nil)
        writes.flush()
        self.append("c", to: &writes, settled)
        let first = writes.takeFlushed()
        #expect(Self.texts(first) == ["a", "b"])
        #expect(writes.takeFlushed() == nil)
        writes.flush()
        let second = writes.takeFlushed()
        #expect(Self.texts(second) == ["c"])
        #expect(settled.all == [])
        for write in (first ?? []) + (second ?? []) { write.promise?.succeed() }
        self.loop.run()
        #expect(settled.all == ["a", "b", "c"])
    }

    @Test func `a failure settles all that waits, flushed or not, and nothing after it`() {
        var writes = PendingWrites()
        let settled = Settled()
        self.append("a", to: &writes, settled)
        writes.flush()
        self.append("b", to: &writes, settled)
        writes.fail(TLSError.uncleanShutdown)
        self.loop.run()
        #expect(settled.all == ["-a", "-b"])
        #expect(writes.takeFlushed() == nil)
        writes.fail(TLSError.uncleanShutdown)
        self.append("c", to: &writes, settled)
        writes.flush()
        let taken = writes.takeFlushed()
        #expect(Self.texts(taken) == ["c"])
        for write in taken ?? [] { write.promise?.succeed() }
        self.loop.run()
        #expect(settled.all == ["-a", "-b", "c"])
    }

    @Test(arguments: [0, 1, 2, 7])
    func `one promise settles those of all writes, and without any there is none`(count: Int) {
        var writes = PendingWrites()
        let settled = Settled()
        writes.append(ByteBuffer(string: "no promise"), promise: nil)
        for number in 0..<count { self.append("\(number)", to: &writes, settled) }
        writes.flush()
        let joined = writes.takeFlushed()?.joinedPromise()
        #expect((joined == nil) == (count == 0))
        #expect(settled.all == [])
        joined?.succeed()
        self.loop.run()
        #expect(settled.all.sorted() == (0..<count).map { "\($0)" })
    }

    @Test func `a joined promise that fails fails all`() {
        var writes = PendingWrites()
        let settled = Settled()
        for text in ["a", "b"] { self.append(text, to: &writes, settled) }
        writes.flush()
        writes.takeFlushed()?.joinedPromise()?.fail(TLSError.uncleanShutdown)
        self.loop.run()
        #expect(settled.all.sorted() == ["-a", "-b"])
    }

    // MARK: - Records

    /// Writes of these sizes, and how many records they become (RFC 8446 §5.1).
    @Test(
        arguments: [
            ([1], 1), ([16_384], 1), ([16_385], 2), ([32_768], 2), ([100, 200, 300], 1),
            ([16_384, 1], 2), ([16_383, 1], 1), ([16_383, 2], 2), ([1, 16_384, 1], 3),
            ([8_000, 8_000, 8_000], 2), ([40_000, 1, 1], 4), ([1, 40_000], 4),
        ] as [([Int], Int)]
    )
    func `small writes are put together up to one record, and no octet is lost`(
        sizes: [Int],
        records: Int
    ) throws {
        let pair = try Pair.open()
        var expected = ""
        for (number, size) in sizes.enumerated() {
            let text = String(
                repeating: Character(UnicodeScalar(UInt8(0x61 + number % 26))),
                count: size
            )
            expected += text
            pair.client.write(text, flush: false)
        }
        pair.client.channel.flush()
        let sent = try pair.client.takeSent()
        // Each record adds a header of 5 octets, the type and a tag of 16.
        #expect(sent.readableBytes == expected.utf8.count + records * 22)
        pair.server.receive(sent)
        #expect(pair.server.recorder.text == expected)
    }
}
