import NIOCore
import Synchronization

/// Buffers that connections borrow for one read or one write.
///
/// An idle connection holds no buffer, and a busy event loop reads into memory that the processor's
/// caches already contain. Safe to use from any thread.
final class BufferPool: Sendable {
    /// Buffers that wait for their next use.
    private static let maximumBuffers = 8

    /// For what is read: ciphertext, and the plaintext of a large read. With 128 KiB a message costs
    /// the least time; larger reads gain nothing.
    static let forReading = BufferPool(capacity: 128 * 1_024)
    /// For the ciphertext of large writes: the octets of a read and the overhead of their records.
    static let forWriting = BufferPool(capacity: 256 * 1_024)

    /// Octets of one buffer.
    let capacity: Int
    private let buffers = Mutex<[ByteBuffer]>([])

    /// - Parameter capacity: the octets of one buffer, a power of two.
    init(capacity: Int) {
        self.capacity = capacity
    }

    /// Returns an empty buffer of ``capacity`` octets.
    func borrow() -> ByteBuffer {
        self.buffers.withLock { $0.popLast() }
            ?? ByteBufferAllocator().buffer(capacity: self.capacity)
    }

    /// Takes a buffer back; frees one of another size.
    ///
    /// The caller must not use it any more. Another holder keeps its octets, because the next write
    /// goes to a copy.
    func giveBack(_ buffer: ByteBuffer) {
        guard buffer.storageCapacity == self.capacity else { return }
        var buffer = buffer
        buffer.moveReaderIndex(to: 0)
        buffer.moveWriterIndex(to: 0)
        self.buffers.withLock { buffers in
            if buffers.count < Self.maximumBuffers { buffers.append(buffer) }
        }
    }

    /// Takes a buffer back unless it has another holder.
    func giveBackIfUnique(_ buffer: inout ByteBuffer) {
        guard buffer.modifyIfUniquelyOwned({ $0.clear() }) != nil else { return }
        self.giveBack(buffer)
    }
}

/// Reads each time into a borrowed buffer. The channel keeps the buffer of its first read, so that
/// one is small.
///
/// The reader must give the buffers back to ``BufferPool/forReading``. The channel must read once in
/// a turn of the event loop (`maxMessagesPerRead`), because it would keep further buffers.
struct BorrowingAllocator: RecvByteBufferAllocator {
    private static let firstRead = 512

    private var hasRead = false

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
        self.hasRead
            ? BufferPool.forReading.borrow() : allocator.buffer(capacity: Self.firstRead)
    }

    /// No size: the channel does not keep buffers for their size.
    func nextBufferSize() -> Int? { nil }

    /// - Returns: true, so that the channel does not use the first buffer again.
    mutating func record(actualReadBytes: Int) -> Bool {
        self.hasRead = true
        return true
    }
}
