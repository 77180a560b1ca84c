import Access
import IMAP

import struct NIOCore.ByteBuffer

/// Which folder of an account sent mail is filed in, of those that its server lists.
///
/// Who may create folders in a part of somebody's account could make one there that says it is for sent
/// mail, and read what is filed. So a folder in such a part counts only where no other does, and not
/// where there are several.
struct SentFolder: Sendable {
    private let names: UpstreamNames
    private let personalPrefixes: [[UInt8]]
    /// Where others than the owner may create folders.
    private let creatable: [Scope]
    private var marked: ByteBuffer?
    private var called: ByteBuffer?
    private var doubtfulMarked: [ByteBuffer] = []
    private var doubtfulCalled: ByteBuffer?

    init(_ profile: UpstreamProfile, creatable: [Scope]) {
        self.names = UpstreamNames(profile)
        self.personalPrefixes = profile.personalPrefixes
        self.creatable = creatable
    }

    /// The server's name of the folder: the first with the special use `\Sent` (RFC 6154 §2), else the
    /// one that is called so.
    var name: ByteBuffer? {
        if let certain = self.marked ?? self.called { return certain }
        guard let doubtful = self.doubtfulMarked.first else { return self.doubtfulCalled }
        return self.doubtfulMarked.count == 1 ? doubtful : nil
    }

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
            // Two are as many as it takes not to know which.
            if self.doubtfulMarked.count < 2 { self.doubtfulMarked.append(list.mailbox) }
        case (false, true): self.doubtfulCalled = self.doubtfulCalled ?? list.mailbox
        }
    }

    /// `Sent`, behind a prefix of the personal namespaces.
    private func isCalledSent(_ name: ByteBuffer) -> Bool {
        self.personalPrefixes.contains { prefix in
            guard name.readableBytesView.starts(with: prefix) else { return false }
            return ByteBuffer(bytes: name.readableBytesView.dropFirst(prefix.count))
                .equals(word: "Sent")
        }
    }
}
