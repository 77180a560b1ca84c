import NIOCore

/// Holds the octets for a client while records of the audit log about what they answer are not on
/// the disk.
///
/// The client and its servers are not read meanwhile, so what is held is bounded by what was read
/// before.
struct OutputGate {
    /// Records that are not on the disk.
    private var records = 0
    /// Octets for the client, in order.
    private var held: [ByteBuffer] = []
    /// Whether a record could not be written. The gate stays closed then.
    private(set) var hasFailed = false
    /// Whether the connection is closed behind the held octets.
    var closes = false

    /// Whether octets for the client pass.
    var isOpen: Bool { self.records == 0 && !self.hasFailed }

    /// A record is being written: octets are held from now on.
    mutating func recordBegan() {
        self.records += 1
    }

    /// Keeps octets until the gate opens; drops them after a failure.
    mutating func hold(_ octets: ByteBuffer) {
        if !self.hasFailed { self.held.append(octets) }
    }

    /// A record is on the disk.
    /// - Returns: the octets that were held, if the gate is open now.
    mutating func recordCommitted() -> [ByteBuffer]? {
        self.records -= 1
        guard self.isOpen else { return nil }
        defer { self.held = [] }
        return self.held
    }

    /// A record is not on the disk: drops the held octets, which may say that all went well.
    /// - Returns: false after an earlier failure.
    mutating func recordFailed() -> Bool {
        self.held = []
        defer { self.hasFailed = true }
        return !self.hasFailed
    }
}
