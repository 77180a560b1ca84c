/// What Exchange calls the inbox in other languages than English, where a mailbox was opened in one.
///
/// The list is not whole, and need not be: it keeps entries of an inbox from becoming entries of a
/// folder that IMAP does not have.
enum InboxNames {
    private static let names: Set<String> = [
        "Posteingang", "Boîte de réception", "Bandeja de entrada", "Posta in arrivo",
        "Caixa de Entrada", "A Receber", "Postvak IN", "Inkorgen", "Indbakke", "Innboks",
        "Saapuneet", "Skrzynka odbiorcza", "Doručená pošta", "Doručené", "Beérkezett üzenetek",
        "Mesaje primite", "Входящие", "Вхідні", "Папка \"Вхідні\"", "Входящи", "Входяща поща",
        "Εισερχόμενα", "Gelen Kutusu", "受信トレイ", "收件箱", "收件匣", "받은 편지함",
        "תיבת דואר נכנס", "علبة الوارد", "صندوق الوارد", "Ulazna pošta", "Prejeto",
        "Primljene poruke", "Gauti laiškai", "Aplankas Gauta", "Iesūtne", "Sisendkaust",
        "Safata d'entrada", "Sarrerako ontzia", "Hộp thư đến", "กล่องจดหมายเข้า", "Kotak Masuk",
        "Peti Masuk", "इनबॉक्स", "Innhólf", "صندوق دریافت",
    ]

    private static let folded = Set(Self.names.map { $0.lowercased() })

    /// Composed or decomposed, in any case: to leave too much out is safe.
    static func contains(_ name: String) -> Bool { self.folded.contains(name.lowercased()) }
}
