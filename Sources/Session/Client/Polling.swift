import Access
import IMAP

/// What is watched of an account whose server has no NOTIFY (RFC 5465): its mailboxes are asked for their
/// counts from time to time.
struct Polling {
    /// Mailboxes of one account. The counts of each are kept as long as the client watches, and each costs
    /// the server a look before NOTIFY is answered.
    static let maximumMailboxes = 256
    /// Mailboxes that are asked in a minute: a server may read a whole folder to count it. All of them had
    /// their turn after four minutes.
    static let mailboxesPerPoll = 64

    /// One mailbox.
    struct Mailbox {
        var folder: FolderPath
        /// Whether flags count: then the messages without `\Seen` do.
        var countsUnseen: Bool
        /// As the server told them last.
        var counts: [StatusItem: StatusResponse.Value]?

        var items: [StatusItem] {
            [.messages, .uidNext, .uidValidity] + (self.countsUnseen ? [.unseen] : [])
        }
    }

    private(set) var mailboxes: [Mailbox] = []
    /// Whether new messages of the selected mailbox are told, and those that went.
    var pollsSelected = false
    /// Whether the client asked for the counts of each mailbox at once.
    var tellsFirst = false
    /// Whether some mailboxes are not watched, because they are too many.
    private(set) var isIncomplete = false
    /// The mailbox whose turn comes next.
    private var next = 0
    /// How many still have their turn in this round.
    private var remaining = 0
    /// The one that is being asked.
    private var asked: Int?

    /// Whether there is nothing to ask for.
    var isEmpty: Bool { self.mailboxes.isEmpty && !self.pollsSelected }

    mutating func add(_ folder: FolderPath, countsUnseen: Bool) {
        guard self.mailboxes.count < Self.maximumMailboxes else {
            self.isIncomplete = true
            return
        }
        self.mailboxes.append(Mailbox(folder: folder, countsUnseen: countsUnseen))
    }

    /// Keeps what is known of mailboxes that were watched before.
    mutating func keepCounts(of before: Polling?) {
        let known = Dictionary((before?.mailboxes ?? []).map { ($0.folder, $0) }) { one, _ in one }
        for (index, mailbox) in self.mailboxes.enumerated() {
            guard let before = known[mailbox.folder], before.countsUnseen == mailbox.countsUnseen
            else { continue }
            self.mailboxes[index].counts = before.counts
        }
    }

    /// Begins a round in which so many mailboxes have their turn.
    mutating func begin(atMost limit: Int) {
        self.remaining = min(limit, self.mailboxes.count)
    }

    /// The mailbox whose turn it is; nil at the end of a round.
    mutating func advance() -> Mailbox? {
        self.asked = nil
        guard self.remaining > 0, !self.mailboxes.isEmpty else { return nil }
        self.remaining -= 1
        let index = self.next % self.mailboxes.count
        self.next = (index + 1) % self.mailboxes.count
        self.asked = index
        return self.mailboxes[index]
    }

    /// Takes the counts of the mailbox that is being asked.
    /// - Returns: whether the client is to be told.
    mutating func take(_ status: StatusResponse, of folder: FolderPath) -> Bool {
        guard let asked = self.asked, self.mailboxes[asked].folder == folder else { return false }
        let known = self.mailboxes[asked].items
        let items = status.items.filter { known.contains($0.item) }
        let counts = Dictionary(items.map { ($0.item, $0.value) }) { first, _ in first }
        let before = self.mailboxes[asked].counts
        self.mailboxes[asked].counts = counts
        return before.map { $0 != counts } ?? self.tellsFirst
    }
}
