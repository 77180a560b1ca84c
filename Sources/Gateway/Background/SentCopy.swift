import Access
import Foundation
import Glibc
import NIOCore
import Synchronization

/// A complete copy in the folder, for one account.
struct WaitingSentCopy: Sendable {
    let file: URL
    let account: AccountID
    let octets: UInt64
    /// Nil if no other copy may replace this one.
    let messageID: ByteBuffer?
    /// Whether an earlier process or another node may have filed it.
    var isRepeated = false
    /// The message's Message-ID, by which a repeated copy is looked for.
    var searchID: ByteBuffer?
    /// The fetch that wrote the file (``SentCopySharing/Known/generation``).
    var generation = 0

    /// The name of the file without suffix.
    var name: String { self.file.deletingPathExtension().lastPathComponent }
}

/// The copy of one message in transit. Used on its event loop only; a background thread writes the
/// file.
final class SentCopy {
    /// Where the copy of a complete message is.
    enum Place: Sendable {
        /// Nowhere: the disk took no copy.
        case nowhere
        /// On this node's disk, but not in the database that the nodes share.
        case local
        /// Wherever it has to be.
        case stored
    }

    /// The suffix of a file that is not complete.
    static let partial = "part"
    /// Octets that wait for the disk; beyond it the client is not read.
    private static let maximumWaiting = 4 * 1_024 * 1_024

    /// The event loop of the client that sends the message.
    let loop: any EventLoop
    /// The partial file; created with the first octets.
    private let file: URL
    private let writer: BackgroundWriter
    private let handle = HandleBox()
    /// Octets that wait for the disk.
    private var waitingOctets = 0
    /// Octets of the message so far.
    private(set) var octets: UInt64 = 0
    /// The copy of each account, under its final name; empty until the message is complete.
    var waiting: [WaitingSentCopy] = []
    /// The message's Message-ID, for the log.
    var messageID: ByteBuffer?
    /// Called when the copy takes octets again.
    var onDrained: (() -> Void)?

    /// - Parameter file: the path of the partial file; nothing is created yet.
    init(_ file: URL, writer: BackgroundWriter, loop: any EventLoop) {
        self.file = file
        self.writer = writer
        self.loop = loop
    }

    /// Back-pressure: whether the copy takes more octets.
    var isWritable: Bool { self.waitingOctets < Self.maximumWaiting }

    /// Writes octets on the background thread. A failure shows in ``keep(as:done:)``.
    func append(_ octets: ByteBuffer) {
        let count = octets.readableBytes
        self.waitingOctets += count
        self.octets += UInt64(count)
        let bound = NIOLoopBound(self, eventLoop: self.loop)
        let (file, handle, loop) = (self.file, self.handle, self.loop)
        self.writer.submit {
            handle.write(octets, to: file)
            loop.execute { bound.value.written(count) }
        }
    }

    /// Octets were written, or dropped after a failure.
    private func written(_ count: Int) {
        let wasWritable = self.isWritable
        self.waitingOctets -= count
        if !wasWritable, self.isWritable { self.onDrained?() }
    }

    /// Writes everything to the disk (fsync(2)), and gives the file its names instead of its
    /// own.
    /// - Parameters:
    ///   - names: the paths under which a restarted gateway finds the copy.
    ///   - done: receives on the event loop whether the octets and all names are on the disk. If
    ///     not, no name is left.
    func keep(as names: [URL], done: @escaping @Sendable (Bool) -> Void) {
        let (file, handle, loop) = (self.file, self.handle, self.loop)
        self.writer.submit {
            let succeeded = handle.keep(file, as: names)
            loop.execute { done(succeeded) }
        }
    }

    /// The message went out: replaces the suffix of each name, and writes the names to the disk.
    /// - Parameter done: receives on the event loop the names that the copy has now.
    func complete(suffix: String, done: @escaping @Sendable (Set<URL>) -> Void) {
        let (handle, loop) = (self.handle, self.loop)
        self.writer.submit {
            let names = handle.complete(suffix: suffix)
            loop.execute { done(names) }
        }
    }

    /// Writes the names in a folder to the disk; fsync(2) of a file does not write its name.
    /// Blocks.
    static func syncFolder(_ folder: URL) throws {
        let descriptor = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CocoaError(.fileReadUnknown) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    /// Creates the folder with mode 0700 if needed, and the file with mode 0600. Blocks.
    /// - Throws: an error of Foundation.
    static func create(_ file: URL) throws -> FileHandle {
        let folder = file.deletingLastPathComponent()
        if !FileManager.default.fileExists(atPath: folder.path) {
            try FileManager.default.createDirectory(
                at: folder,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
            try Self.syncFolder(folder.deletingLastPathComponent())
        }
        guard
            FileManager.default.createFile(
                atPath: file.path,
                contents: nil,
                attributes: [.posixPermissions: 0o600]
            )
        else { throw CocoaError(.fileWriteUnknown) }
        return try FileHandle(forWritingTo: file)
    }

    /// Removes the file under all of its names.
    func drop() {
        let (file, handle) = (self.file, self.handle)
        self.writer.submit { handle.drop(file) }
    }

    /// The open file. Used on the background thread.
    private final class HandleBox: Sendable {
        private struct State {
            var handle: FileHandle?
            /// Whether a write failed.
            var hasFailed = false
            /// The names that the complete file has.
            var names: [URL] = []
        }

        private let state = Mutex(State())

        /// Appends octets. After the first failure all later calls do nothing.
        func write(_ octets: ByteBuffer, to file: URL) {
            self.state.withLock { state in
                guard !state.hasFailed else { return }
                do {
                    if state.handle == nil { state.handle = try SentCopy.create(file) }
                    try state.handle?.write(contentsOf: Data(octets.readableBytesView))
                } catch {
                    state.hasFailed = true
                }
            }
        }

        /// Links the file under its names, and removes the partial name.
        /// - Returns: false if there is no file, or if this or an earlier write failed; no name is
        ///   left then.
        func keep(_ file: URL, as names: [URL]) -> Bool {
            self.state.withLock { state in
                do {
                    guard !state.hasFailed, let handle = state.handle else { return false }
                    try handle.synchronize()
                    for name in names {
                        try FileManager.default.linkItem(at: file, to: name)
                        state.names.append(name)
                    }
                    Self.close(file, state: &state)
                    // Without this a power loss removes the names.
                    try SentCopy.syncFolder(file.deletingLastPathComponent())
                    return true
                } catch {
                    state.hasFailed = true
                    Self.remove(file, state: &state)
                    return false
                }
            }
        }

        /// Replaces the suffix of each name.
        /// - Returns: the new names; without those that could not be replaced.
        func complete(suffix: String) -> Set<URL> {
            self.state.withLock { state in
                let names = state.names
                state.names = []
                let complete = names.compactMap { name -> URL? in
                    let target = name.deletingPathExtension().appendingPathExtension(suffix)
                    let isMoved = (try? FileManager.default.moveItem(at: name, to: target)) != nil
                    return isMoved ? target : nil
                }
                // If this fails, a power loss brings the old names back; for now the new ones exist.
                if let folder = names.first?.deletingLastPathComponent() {
                    try? SentCopy.syncFolder(folder)
                }
                return Set(complete)
            }
        }

        /// Closes the file, and removes all of its names.
        func drop(_ file: URL) {
            self.state.withLock { state in Self.remove(file, state: &state) }
        }

        private static func remove(_ file: URL, state: inout State) {
            for name in state.names { try? FileManager.default.removeItem(at: name) }
            state.names = []
            self.close(file, state: &state)
        }

        /// Closes the file, and removes its partial name.
        private static func close(_ file: URL, state: inout State) {
            try? state.handle?.close()
            state.handle = nil
            try? FileManager.default.removeItem(at: file)
        }
    }
}
