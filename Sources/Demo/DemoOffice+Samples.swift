import Foundation

/// The sample messages.
extension DemoOffice {
    /// Writes the sample messages into the Maildir folders of both IMAP servers.
    func deliverSamples() throws {
        try self.deliver(
            self.first,
            user: Self.anna,
            folder: nil,
            subject: "Willkommen",
            text: "Ihr Postfach ist eingerichtet."
        )
        try self.deliver(
            self.first,
            user: Self.anna,
            folder: "Ablage",
            subject: "Notiz",
            text: "Erledigt."
        )
        try self.deliver(
            self.first,
            user: Self.clara,
            folder: nil,
            subject: "Personalsache",
            text: "Nur für Clara."
        )
        try self.deliver(
            self.first,
            user: Self.info,
            folder: nil,
            subject: "Anfrage",
            text: "Haben Sie einen Termin frei?"
        )
        try self.deliver(
            self.first,
            user: Self.vertrieb,
            folder: nil,
            subject: "Bestellung",
            text: "Zehn Ordner, bitte."
        )
        try self.deliver(
            self.first,
            user: Self.vertrieb,
            folder: "Angebote",
            subject: "Angebot",
            text: "Gilt bis 30.11."
        )
        try self.deliver(
            self.second,
            user: Self.bob,
            folder: nil,
            subject: "Rückruf",
            text: "Bitte um Rückruf bis 16 Uhr."
        )
        try self.deliver(
            self.second,
            user: Self.bob,
            folder: "Akten",
            subject: "Mandat Meyer",
            text: "Die Klage ist zugestellt."
        )
        try self.deliver(
            self.second,
            user: Self.bob,
            folder: "Akten/&ANw-bersicht",
            subject: "Fristen",
            text: "Berufung bis zum 30.11."
        )
        try self.deliver(
            self.second,
            user: Self.bob,
            folder: "Privat",
            subject: "Urlaub",
            text: "Zwei Wochen an der See."
        )
        try self.first.handOver()
        try self.second.handOver()
    }

    /// Writes one message.
    /// - Parameter folder: the name on the server in modified UTF-7 (RFC 3501 §5.1.3), with `/`
    ///   between components; nil for INBOX.
    func deliver(
        _ server: DovecotServer,
        user: String,
        folder: String?,
        subject: String,
        text: String
    ) throws {
        let message = """
            From: Gericht <post@gericht.example>
            To: \(user)
            Subject: =?UTF-8?B?\(Data(subject.utf8).base64EncodedString())?=
            Date: Mon, 02 Nov 2026 09:30:00 +0100
            Message-ID: <\(UUID().uuidString)@gericht.example>
            MIME-Version: 1.0
            Content-Type: text/plain; charset=utf-8

            \(text)

            """
        try server.deliver(message, to: user, folder: folder, isSeen: false)
    }
}
