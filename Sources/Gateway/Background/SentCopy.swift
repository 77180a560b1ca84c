import Foundation
import Glibc
import NIOCore
import Synchronization

/// The copy of one message in transit. Used on its event loop only; a background thread writes the
/// file.
final class SentCopy {
    /// Octets that wait for the disk; beyond it the client is not read.
    private static let maximumWaiting = 4 * 1_024 * 1_024

    /// The event loop of the client that sends the message.
    let loop: any EventLoop
    /// The partial file; created with the first octets.
    private let file: URL
    private let writer: BackgroundWriter
    private let handle = HandleBox()
    /// Octets that wait for the disk.
    private var waiting = 0
    /// Octets of the message so far.
    private(set) var octets: UInt64 = 0
    /// Called when the copy takes octets again.
    var onDrained: (() -> Void)?

    /// - Parameter file: the path of the partial file; nothing is created yet.
    init(_ file: URL, writer: BackgroundWriter, loop: any EventLoop) {
        self.file = file
        self.writer = writer
        self.loop = loop
    }

    /// Back-pressure: whether the copy takes more octets.
    var isWritable: Bool { self.waiting < Self.maximumWaiting }

    /// Writes octets on the background thread. A failure shows in ``sync(_:)`` and
    /// ``complete(as:_:)``.
    func append(_ octets: ByteBuffer) {
        let count = octets.readableBytes
        self.waiting += count
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
        self.waiting -= count
        if !wasWritable, self.isWritable { self.onDrained?() }
    }

    /// Writes everything to the disk (fsync(2)).
    /// - Parameter done: receives on the event loop whether that succeeded.
    func sync(_ done: @escaping @Sendable (Bool) -> Void) {
        let (handle, loop) = (self.handle, self.loop)
        self.writer.submit {
            let succeeded = handle.sync()
            loop.execute { done(succeeded) }
        }
    }

    /// The message is complete: gives the file its final names instead of its own, and writes them
    /// to the disk.
    /// - Parameter done: receives on the event loop the names that were created.
    func complete(as targets: [URL], done: @escaping @Sendable (Set<URL>) -> Void) {
        let (file, handle, loop) = (self.file, self.handle, self.loop)
        self.writer.submit {
            let names = handle.complete(file, as: targets)
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

    /// Removes the file.
    func drop() {
        let (file, handle) = (self.file, self.handle)
        self.writer.submit { handle.drop(file) }
    }

    /// The open file. Used on the background thread.
    private final class HandleBox: Sendable {
        private let state = Mutex<(handle: FileHandle?, hasFailed: Bool)>((nil, false))

        /// Appends octets. After the first failure all later calls do nothing.
        func write(_ octets: ByteBuffer, to file: URL) {
            self.state.withLock { state in
                guard !state.hasFailed else { return }
                do {
                    if state.handle == nil { state.handle = try Self.open(file) }
                    try state.handle?.write(contentsOf: Data(octets.readableBytesView))
                } catch {
                    state.hasFailed = true
                }
            }
        }

        /// Creates the folder with mode 0700 if needed, and the file with mode 0600.
        /// - Throws: an error of Foundation.
        private static func open(_ file: URL) throws -> FileHandle {
            let folder = file.deletingLastPathComponent()
            if !FileManager.default.fileExists(atPath: folder.path) {
                try FileManager.default.createDirectory(
                    at: folder,
                    withIntermediateDirectories: true,
                    attributes: [.posixPermissions: 0o700]
                )
                try SentCopy.syncFolder(folder.deletingLastPathComponent())
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

        /// - Returns: false if there is no file, or if this or an earlier write failed.
        func sync() -> Bool {
            self.state.withLock { state in
                do {
                    guard !state.hasFailed, let handle = state.handle else { return false }
                    try handle.synchronize()
                    return true
                } catch {
                    state.hasFailed = true
                    return false
                }
            }
        }

        /// Links the file under its final names, and removes the partial name.
        /// - Returns: the names that were created.
        func complete(_ file: URL, as targets: [URL]) -> Set<URL> {
            self.state.withLock { state in
                defer { Self.remove(file, handle: &state.handle) }
                do {
                    guard !state.hasFailed else { return [] }
                    try state.handle?.synchronize()
                } catch {
                    return []
                }
                let names = targets.filter { target in
                    (try? FileManager.default.linkItem(at: file, to: target)) != nil
                }
                // Without this a power loss can remove the names. If it fails, they exist for now.
                try? SentCopy.syncFolder(file.deletingLastPathComponent())
                return Set(names)
            }
        }

        /// Closes and removes the partial file.
        func drop(_ file: URL) {
            self.state.withLock { state in Self.remove(file, handle: &state.handle) }
        }

        private static func remove(_ file: URL, handle: inout FileHandle?) {
            try? handle?.close()
            handle = nil
            try? FileManager.default.removeItem(at: file)
        }
    }
}
