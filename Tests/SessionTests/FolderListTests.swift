import Access
import NIOCore
import Session
import Support
import Testing

@Suite struct FolderListTests {
    private static func path(_ text: String) throws -> FolderPath {
        try #require(FolderPath(octets: Array(text.utf8)))
    }

    private static func list(_ names: [String]) throws -> FolderList {
        var listing = FolderListing(hasIdentifiers: false)
        for name in names { listing.add(try Self.path(name), isVisible: true) }
        return listing.finished(during: 1)
    }

    @Test func `a list contains exactly the folders that were listed`() throws {
        let list = try Self.list(["INBOX", "Akten/Neu", "Caf\u{E9}", "Akten2"])
        for name in ["INBOX", "inbox", "Akten/Neu", "Caf\u{E9}", "Akten2"] {
            #expect(list.contains(try Self.path(name)), "\(name)")
        }
        for name in ["Akten", "akten/Neu", "Cafe\u{301}", "Akten/Neu/x", "Akten/Ne", "Akten/Neu2"] {
            #expect(!list.contains(try Self.path(name)), "\(name)")
        }
    }

    @Test func `a name above a listed folder is a parent and not a folder`() throws {
        let list = try Self.list(["a/b/c", "d"])
        for name in ["a", "a/b", "a/b/c", "d"] {
            #expect(list.containsParent(try Self.path(name)), "\(name)")
        }
        #expect(!list.contains(try Self.path("a")))
        #expect(!list.containsParent(try Self.path("a/b/c/d")))
        #expect(!list.containsParent(try Self.path("a/c")))
    }

    @Test func `a folder without a right is not in the list`() throws {
        var listing = FolderListing(hasIdentifiers: false)
        listing.add(try Self.path("Privat"), isVisible: false)
        let list = listing.finished(during: 1)
        #expect(!list.contains(try Self.path("Privat")))
        #expect(list.responses == 1)
    }

    @Test func `an empty list contains nothing`() throws {
        #expect(!(try Self.list([]).contains(try Self.path("INBOX"))))
        #expect(!FolderList().containsParent(try Self.path("INBOX")))
    }

    @Test
    func `of two names of one mailbox only the one listed first exists, even if it is hidden`()
        throws
    {
        var listing = FolderListing(hasIdentifiers: true)
        let names = ["Privat", "INBOX/Privat", "Offen"]
        for name in names { listing.add(try Self.path(name), isVisible: name != "Privat") }
        listing.identify(try Self.path("INBOX/Privat"), as: ByteBuffer(string: "F1"))
        listing.identify(try Self.path("Privat"), as: ByteBuffer(string: "F1"))
        let list = listing.finished(during: 1)
        #expect(!list.contains(try Self.path("Privat")))
        #expect(!list.contains(try Self.path("INBOX/Privat")))
        #expect(list.contains(try Self.path("Offen")))
    }

    @Test func `a list of 60,000 folders contains each of them and is not read again at once`()
        throws
    {
        let names = (0..<60_000).map { "Mandanten/Akte \($0)/Schriftverkehr" }
        let list = try Self.list(names)
        for name in names.indices.filter({ $0 % 997 == 0 }).map({ names[$0] }) {
            #expect(list.contains(try Self.path(name)))
            #expect(!list.contains(try Self.path(name + "x")))
        }
        var refreshes = FolderList.Refreshes()
        #expect(refreshes.mayRead(list, at: Moment(seconds: 100)))
        refreshes.read(list, at: Moment(seconds: 100))
        #expect(!refreshes.mayRead(list, at: Moment(seconds: 106)))
        #expect(refreshes.mayRead(list, at: Moment(seconds: 107)))
    }

    @Test func `missing names make a server list at most 10,000 folders per second`() throws {
        let list = try Self.list((0..<300).map { "Akte \($0)" })
        var refreshes = FolderList.Refreshes()
        var count = 0
        for _ in 0..<1_000 where refreshes.mayRead(list, at: Moment(seconds: 100)) {
            refreshes.read(list, at: Moment(seconds: 100))
            count += 1
        }
        #expect(count == 33)
        #expect(refreshes.mayRead(list, at: Moment(seconds: 101)))
    }

    @Test func `a set keeps each path once in any order of insertion`() throws {
        var random = Seeded(state: 7)
        var set = OctetStringSet()
        var known: Set<FolderPath> = []
        for _ in 0..<5_000 {
            let path = try Self.path("f\(Int.random(in: 0..<1_500, using: &random))")
            set.insert(path)
            known.insert(path)
        }
        #expect(set.count == known.count)
        for number in 0..<1_500 {
            let path = try Self.path("f\(number)")
            #expect(set.contains(path) == known.contains(path))
        }
    }
}
