import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Chooses the folder for sent mail from an account's LIST responses.
///
/// A user who may create folders in a scope of another account could create a folder with `\Sent` there and read
/// the copies. So a folder in such a scope counts only if no other folder qualifies. If several folders in
/// such scopes have `\Sent`, none of them counts.
struct SentFolder: Sendable {
    private let names: UpstreamNames
    private let personalPrefixes: [[UInt8]]
    /// Scopes in which users other than the owner may create folders.
    private let creatable: [Scope]
    /// The first folder with `\Sent` outside these scopes.
    private var marked: ByteBuffer?
    /// The first folder with the name `Sent` outside these scopes.
    private var called: ByteBuffer?
    /// Folders with `\Sent` inside these scopes, at most two.
    private var doubtfulMarked: [ByteBuffer] = []
    /// The first folder with the name `Sent` inside these scopes.
    private var doubtfulCalled: ByteBuffer?

    /// - Parameter creatable: scopes in which users other than the owner may create folders.
    init(_ profile: UpstreamProfile, creatable: [Scope]) {
        self.names = UpstreamNames(profile)
        self.personalPrefixes = profile.personalPrefixes
        self.creatable = creatable
    }

    /// The folder's name on the server: the first with the special use `\Sent` (RFC 6154 §2), else the one with
    /// the name `Sent`; nil if there is none, or the choice is ambiguous.
    var name: ByteBuffer? {
        if let certain = self.marked ?? self.called { return certain }
        guard let doubtful = self.doubtfulMarked.first else { return self.doubtfulCalled }
        return self.doubtfulMarked.count == 1 ? doubtful : nil
    }

    /// Takes one LIST response.
    mutating func listed(_ list: ListResponse) {
        guard let folder = self.names.folder(listedAs: list.mailbox) else { return }
        let isDoubtful = folder.parent.map { parent in
            self.creatable.contains { $0.covers(parent) }
        }
        let isMarked = list.attributes.contains { $0.equals(word: "\\Sent") }
        guard isMarked || self.isCalledSent(list.mailbox) else { return }
        switch (isMarked, isDoubtful ?? false) {
        case (true, false): self.marked = self.marked ?? list.mailbox
        case (false, false): self.called = self.called ?? list.mailbox
        case (true, true):
            // Two are enough to make the choice ambiguous.
            if self.doubtfulMarked.count < 2 { self.doubtfulMarked.append(list.mailbox) }
        case (false, true): self.doubtfulCalled = self.doubtfulCalled ?? list.mailbox
        }
    }

    /// Whether a name is `Sent` directly after a prefix of a personal namespace (RFC 9051 §6.3.10).
    private func isCalledSent(_ name: ByteBuffer) -> Bool {
        self.personalPrefixes.contains { prefix in
            guard name.readableBytesView.starts(with: prefix) else { return false }
            return ByteBuffer(bytes: name.readableBytesView.dropFirst(prefix.count))
                .equals(word: "Sent")
        }
    }
}
