import Foundation
import Testing

@testable import Store

/// Identities and stamps of files.
@Suite struct StoreFileTests {
    private static func withFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("files-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    @Test func `a file's identity ignores its name and changes on replacement`() throws {
        try Self.withFolder { folder in
            let (one, other) = (
                folder.appendingPathComponent("one").path,
                folder.appendingPathComponent("other").path
            )
            #expect(FileIdentity(path: one) == nil)
            try Data("a".utf8).write(to: URL(fileURLWithPath: one))
            let identity = try #require(FileIdentity(path: one))
            try FileManager.default.linkItem(atPath: one, toPath: other)
            #expect(FileIdentity(path: other) == identity)
            let link = folder.appendingPathComponent("link").path
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: one)
            #expect(FileIdentity(path: link) == identity)
            // A write does not change the identity; a replacement does.
            let handle = try #require(FileHandle(forWritingAtPath: one))
            handle.write(Data("bb".utf8))
            try handle.close()
            #expect(FileIdentity(path: one) == identity)
            let new = folder.appendingPathComponent("new").path
            try Data("a".utf8).write(to: URL(fileURLWithPath: new))
            #expect(rename(new, one) == 0)
            #expect(FileIdentity(path: one) != identity && FileIdentity(path: one) != nil)
            #expect(FileIdentity(path: other) == identity)
            // A dangling link has no identity.
            try FileManager.default.removeItem(atPath: one)
            #expect(FileIdentity(path: link) == nil)
        }
    }

    @Test func `a stamp changes with each write`() throws {
        try Self.withFolder { folder in
            let path = folder.appendingPathComponent("file").path
            let missing = FileStamp(path: path)
            #expect(missing == FileStamp(path: path))
            try Data("a".utf8).write(to: URL(fileURLWithPath: path))
            let first = FileStamp(path: path)
            #expect(first != missing && first == FileStamp(path: path))
            let handle = try #require(FileHandle(forWritingAtPath: path))
            handle.write(Data("bb".utf8))
            try handle.close()
            let longer = FileStamp(path: path)
            #expect(longer != first)
            // The same size at another time is another stamp.
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 5)],
                ofItemAtPath: path
            )
            #expect(FileStamp(path: path) != longer)
        }
    }

    @Test func `a store consists of three files`() throws {
        try Self.withFolder { folder in
            let path = folder.appendingPathComponent("gatepost.sqlite").path
            let store = try PermissionStore(path: path)
            let files = StoreFiles(path: path)
            #expect(files.database == store.file && files.database != nil)
            #expect(files.writeAheadLog != nil && files.sharedIndex != nil)
            #expect(files == StoreFiles(path: path))
            let wal = path + StoreFiles.companions[0]
            let copy = wal + "-copy"
            try FileManager.default.copyItem(atPath: wal, toPath: copy)
            #expect(rename(copy, wal) == 0)
            #expect(StoreFiles(path: path) != files)
            // Nothing is written to the replaced file.
            let refusal = Office.refusal { try store.addGroup("g", actor: "test") }
            #expect(refusal?.contains("was replaced") == true, "\(refusal ?? "written")")
        }
    }

    @Test func `refusals differ if their waiting files differ`() throws {
        let file = try #require(FileIdentity(path: "/"))
        let (one, other) = (
            WaitingStore(file: file, revision: 1), WaitingStore(file: file, revision: 2)
        )
        #expect(StoreRefusal("a") == StoreRefusal("a") && StoreRefusal("a") != StoreRefusal("b"))
        #expect(StoreRefusal("a", waiting: one) != StoreRefusal("a", waiting: other))
        #expect(StoreRefusal("a", waiting: one) != StoreRefusal("a"))
        let decoded = try JSONDecoder().decode(
            WaitingStore.self,
            from: try JSONEncoder().encode(one)
        )
        #expect(decoded == one)
    }
}
