import NIOCore
import NIOEmbedded
import Testing

@testable import TLS

/// Borrowed buffers: no connection reads the octets of another one.
@Suite struct BufferPoolTests {
    @Test func `a buffer is used again, empty`() {
        let pool = BufferPool(capacity: 1_024)
        var first = pool.borrow()
        first.writeString("secret")
        let storage = first.withVeryUnsafeBytes { $0.baseAddress }
        pool.giveBack(first)
        first = ByteBuffer()
        let second = pool.borrow()
        #expect(second.withVeryUnsafeBytes { $0.baseAddress } == storage)
        #expect(second.readableBytes == 0)
        #expect(second.writableBytes == 1_024)
    }

    @Test func `another holder of a buffer keeps its octets`() {
        let pool = BufferPool(capacity: 1_024)
        var first = pool.borrow()
        first.writeString("Akten")
        let held = first.getSlice(at: 0, length: 5)
        pool.giveBack(first)
        first = ByteBuffer()
        var second = pool.borrow()
        second.writeString("Briefe")
        #expect(held.map { String(buffer: $0) } == "Akten")
        #expect(String(buffer: second) == "Briefe")
    }

    @Test func `a buffer with another holder is not taken back`() {
        let pool = BufferPool(capacity: 1_024)
        var first = pool.borrow()
        first.writeString("Akten")
        let held = first
        pool.giveBackIfUnique(&first)
        let second = pool.borrow()
        #expect(
            second.withVeryUnsafeBytes { $0.baseAddress }
                != held.withVeryUnsafeBytes { $0.baseAddress }
        )
        #expect(String(buffer: held) == "Akten")
    }

    @Test func `the buffers have the size of their pool, so that they are taken back`() {
        for pool in [BufferPool.forReading, .forWriting] {
            let buffer = pool.borrow()
            #expect(buffer.storageCapacity == pool.capacity)
            pool.giveBack(buffer)
        }
    }

    @Test func `a buffer of another size is not taken back`() {
        let pool = BufferPool(capacity: 1_024)
        pool.giveBack(ByteBufferAllocator().buffer(capacity: 4_096))
        #expect(pool.borrow().storageCapacity == 1_024)
    }

    @Test func `the channel keeps a small buffer only`() {
        var allocator = BorrowingAllocator()
        #expect(allocator.buffer(allocator: ByteBufferAllocator()).storageCapacity == 512)
        let grows = allocator.record(actualReadBytes: 512)
        #expect(grows)
        #expect(allocator.nextBufferSize() == nil)
        let next = allocator.buffer(allocator: ByteBufferAllocator())
        #expect(next.storageCapacity == BufferPool.forReading.capacity)
        BufferPool.forReading.giveBack(next)
    }

    @Test(arguments: Version.allCases)
    func `large texts of many connections at once are not mixed`(version: Version) throws {
        let pairs = try (0..<12).map { _ in try Pair.open(version) }
        var expected = pairs.map { _ in "" }
        for round in 0..<3 {
            for (index, pair) in pairs.enumerated() {
                let text = String(repeating: "\(index).\(round) ", count: 30_000)
                expected[index] += text
                pair.client.write(text)
            }
            // All ciphertexts are on their way at the same time, like those of slow peers.
            var sent = try pairs.map { try $0.client.takeSent() }
            while sent.contains(where: { $0.readableBytes > 0 }) {
                for (index, pair) in pairs.enumerated() {
                    let length = min(50_000, sent[index].readableBytes)
                    if let part = sent[index].readSlice(length: length) {
                        pair.server.receive(part)
                    }
                }
            }
        }
        for (pair, text) in zip(pairs, expected) { #expect(pair.server.recorder.text == text) }
    }

    @Test(arguments: Version.allCases)
    func `a connection that waits holds no buffer, at any octet of the handshake and after it`(
        version: Version
    ) throws {
        let pair = try Pair(.testing(version: version), .testing())
        for _ in 0..<6 {
            for (from, to) in [(pair.client, pair.server), (pair.server, pair.client)] {
                var sent = try from.takeSent()
                while var part = sent.readSlice(length: min(97, sent.readableBytes)),
                    part.readableBytes > 0
                {
                    var lent = BufferPool.forReading.borrow()
                    lent.writeBuffer(&part)
                    to.receive(lent)
                    #expect(to.tls.connection.input.storageCapacity < 1_024)
                }
            }
        }
        #expect(pair.client.recorder.isHandshakeComplete)
        pair.client.write("a1 NOOP")
        try pair.exchange(partsOf: 5)
        #expect(pair.server.recorder.text == "a1 NOOP")
    }
}
