import Foundation
import Logging
import NIOCore
import Session
import Store
import Synchronization

/// Copies in a store that several nodes share.
extension SentCopies {
    /// The row of a copy.
    func stored(_ copy: Waiting, messageID: ByteBuffer?) -> StoredSentCopy {
        StoredSentCopy(
            name: copy.name,
            account: copy.account,
            octets: copy.octets,
            messageID: messageID.map { String(buffer: $0) }
        )
    }

    /// Stores the copies of a message in the database after they are on the disk.
    /// - Parameter done: receives on the copy's event loop where the copy is.
    func share(_ copy: SentCopy, done: @escaping @Sendable (SentCopy.Place) -> Void) {
        guard let sharing = self.sharing else { return done(.stored) }
        let stored = copy.waiting.map { self.stored($0, messageID: copy.messageID) }
        sharing.share(stored, suffix: Self.unsent, on: copy.loop) { done($0 ? .stored : .local) }
    }

    /// Drops the copy of a message that is not sent.
    func drop(_ copy: SentCopy) {
        let names = copy.waiting.map(\.name)
        copy.drop()
        guard let sharing = self.sharing, !names.isEmpty else { return }
        // After the files: what is stored in between is removed as well.
        self.writer.submit { sharing.drop(names) }
    }

    /// A copy that an earlier run left in a file, or that another node left in the database. Its
    /// server may be storing it, or may have stored it: it is looked for after the settle time, and
    /// if the folder has the message, the new copy is removed again.
    /// - Parameter earlier: how many copies for the account were left before it.
    func fileAgain(_ copy: Waiting, earlier: Int, on loop: any EventLoop) {
        var copy = copy
        copy.isRepeated = true
        copy.searchID = Self.messageID(of: copy.file)
        self.schedule(
            copy,
            in: self.settleTime + Self.pause * earlier,
            on: loop,
            attempt: 0
        )
    }

    /// Writes what the database could not take before, and takes up the copies that this node took
    /// over from dead ones.
    func poll(on group: any EventLoopGroup) {
        guard let sharing = self.sharing else { return }
        sharing.poll(suffix: Self.complete) { [self] stored in
            let file = self.folder.appendingPathComponent("\(stored.name).\(Self.complete)")
            guard var copy = Self.waiting(file) else { return }
            copy.generation = sharing.known(stored.name)?.generation ?? 0
            self.logger.notice(
                "files a sent copy that another node or an earlier run left",
                metadata: ["copy": "\(stored.name)"]
            )
            self.space.found(copy.account, octets: copy.octets)
            self.fileAgain(copy, earlier: 0, on: group.next())
        }
    }

    /// Asks the database whether this node may file a copy, and begins to do so.
    func beginShared(_ copy: Waiting, on loop: any EventLoop, attempt: Int) {
        guard let sharing = self.sharing else { return self.send(copy, on: loop, attempt: attempt) }
        sharing.begin(copy.name, generation: copy.generation, on: loop) { [self] verdict in
            switch verdict {
            case .file: self.send(copy, on: loop, attempt: attempt)
            case .fileAgain: self.sendAgain(copy, on: loop, attempt: attempt)
            case .later: self.retrySoon(copy, on: loop, attempt: attempt)
            case .gone: self.space.end(copy.account, octets: copy.octets)
            case .lost:
                self.logger.notice(
                    "a sent copy is dropped here, because another node files it or did",
                    metadata: ["copy": "\(copy.name)"]
                )
                sharing.lost(copy.name, file: copy.file) {
                    self.space.end(copy.account, octets: copy.octets)
                }
            }
        }
    }

    /// Files a copy that perhaps was filed.
    private func sendAgain(_ copy: Waiting, on loop: any EventLoop, attempt: Int) {
        self.writer.submit { [self] in
            var copy = copy
            copy.isRepeated = true
            copy.searchID = Self.messageID(of: copy.file)
            loop.execute { [copy] in self.send(copy, on: loop, attempt: attempt) }
        }
    }

    /// The message of a copy, and the permission to complete its APPEND.
    /// - Parameter denied: called on the event loop if the database does not give the permission.
    func outgoing(
        _ copy: Waiting,
        on loop: any EventLoop,
        denied: @escaping @Sendable () -> Void
    ) -> OutgoingMessage {
        var message = OutgoingMessage(file: copy.file, writer: self.writer)
        if let sharing = self.sharing {
            message.confirm = { answer in
                sharing.confirm(copy.name, on: loop) { isPermitted in
                    if !isPermitted { denied() }
                    answer(isPermitted)
                }
            }
        }
        return message
    }

    // MARK: - The next start

    /// Takes up what an earlier run left besides the messages: filed copies whose rows may be left,
    /// and markers without a message.
    func startSharing(_ names: [String]) {
        guard let sharing = self.sharing else { return }
        let bases = Set(
            names.filter { !$0.hasSuffix(".\(SentCopySharing.marker)") }
                .map { ($0 as NSString).deletingPathExtension }
        )
        for name in names {
            let file = self.folder.appendingPathComponent(name)
            let base = file.deletingPathExtension().lastPathComponent
            switch file.pathExtension {
            case SentCopySharing.filed: sharing.foundFiled(base)
            case SentCopySharing.marker where !bases.contains(base):
                try? FileManager.default.removeItem(at: file)
            case Self.unsent, Self.unknown: sharing.foundUnknown(base)
            default: break
            }
        }
    }
}
