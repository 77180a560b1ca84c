package import Foundation

/// A folder of its own that goes away with this object.
package final class TemporaryFolder: Sendable {
    package let url: URL

    package init() throws {
        self.url = FileManager.default.temporaryDirectory
            .appendingPathComponent("test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: self.url,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
    }

    deinit {
        try? FileManager.default.removeItem(at: self.url)
    }

    package func path(_ name: String) -> String {
        self.url.appendingPathComponent(name).path
    }

    /// Writes a file.
    /// - Returns: its path.
    @discardableResult
    package func write(_ text: String, as name: String, mode: Int = 0o600) throws -> String {
        let path = self.path(name)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    /// The names of what is in it, in order; also of a folder in it.
    package func names(in folder: String = "") -> [String] {
        let path = folder.isEmpty ? self.url.path : self.path(folder)
        return ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }
}
