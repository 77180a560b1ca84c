import NIOCore

/// Plaintext of the pipeline that is not encrypted yet, in order.
struct PendingWrites {
    /// One write and the promise that its caller waits for.
    struct Write {
        let octets: ByteBuffer
        let promise: EventLoopPromise<Void>?
    }

    private var writes: [Write] = []
    /// An empty array whose storage the next writes use.
    private var spare: [Write] = []
    /// The number of writes before the last flush.
    private var flushedCount = 0

    mutating func append(_ octets: ByteBuffer, promise: EventLoopPromise<Void>?) {
        self.writes.append(Write(octets: octets, promise: promise))
    }

    /// Marks all writes so far as flushed.
    mutating func flush() {
        self.flushedCount = self.writes.count
    }

    /// Removes and returns the flushed writes; nil if there are none.
    mutating func takeFlushed() -> [Write]? {
        guard self.flushedCount > 0 else { return nil }
        defer { self.flushedCount = 0 }
        guard self.flushedCount < self.writes.count else { return self.takeAll() }
        let taken = Array(self.writes.prefix(self.flushedCount))
        self.writes.removeFirst(self.flushedCount)
        return taken
    }

    private mutating func takeAll() -> [Write] {
        var taken: [Write] = []
        swap(&taken, &self.spare)
        swap(&taken, &self.writes)
        return taken
    }

    /// Keeps the storage of writes that are done, unless it is large.
    mutating func reuse(_ done: consuming [Write]) {
        guard done.count <= Self.maximumSpareWrites else { return }
        done.removeAll(keepingCapacity: true)
        self.spare = done
    }

    /// A response consists of a few writes.
    private static let maximumSpareWrites = 8

    /// Drops all writes and fails their promises.
    mutating func fail(_ error: any Error) {
        self.flushedCount = 0
        for write in self.takeAll() { write.promise?.fail(error) }
    }
}

extension SSLConnection {
    /// The most plaintext of one record, in octets (RFC 8446 §5.1); smaller writes share records.
    private static let maximumRecordOctets = 16_384

    /// Encrypts writes into ``output``.
    /// - Returns: the error, or nil.
    func encrypt(_ writes: [PendingWrites.Write]) -> TLSError? {
        let total = writes.reduce(0) { $0 + $1.octets.readableBytes }
        self.reserveOutput(for: total)
        if writes.count == 1, let only = writes.first { return self.encrypt(only.octets) }
        var gathered = ByteBuffer()
        gathered.reserveCapacity(min(total, Self.maximumRecordOctets))
        for write in writes {
            if gathered.readableBytes + write.octets.readableBytes > Self.maximumRecordOctets {
                if let error = self.encrypt(gathered) { return error }
                gathered.clear()
            }
            if write.octets.readableBytes <= Self.maximumRecordOctets {
                gathered.writeImmutableBuffer(write.octets)
            } else if let error = self.encrypt(write.octets) {
                return error
            }
        }
        return self.encrypt(gathered)
    }

    private func encrypt(_ octets: ByteBuffer) -> TLSError? {
        switch octets.withUnsafeReadableBytes({ self.write($0) }) {
        case .complete: nil
        case .failed(let error): error
        // Renegotiation is disabled, so a write never waits for the peer.
        case .wantsInput, .wantsRoom, .closedByPeer: .protocolViolation("write refused")
        }
    }
}

extension Array where Element == PendingWrites.Write {
    /// One promise that completes the promises of all writes.
    func joinedPromise() -> EventLoopPromise<Void>? {
        var joined: EventLoopPromise<Void>?
        for write in self {
            guard let promise = write.promise else { continue }
            if let joined {
                joined.futureResult.cascade(to: promise)
            } else {
                joined = promise
            }
        }
        return joined
    }
}
