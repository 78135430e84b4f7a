package intake

import (
	"fmt"

	"golang.org/x/text/language"
)

// words are the page's own words in one language; what a program's authors wrote is not among them. Fields that end in f
// are formats for fmt; all languages use the same verbs in the same order, with indexes where a language needs another.
type words struct {
	Tag string // of the language

	Languages string // names the language switch
	AskedByf  string // team
	Aboutf    string // touchpoint or team
	Required  string
	Optional  string
	ChooseAny string
	AtMostf   string // number of characters
	Endsf     string // lowest value, its meaning, highest value, its meaning
	Send      string

	NPSLow, NPSHigh, CSATLow, CSATHigh, CESLow, CESHigh, RatingLow, RatingHigh string

	ErrorPrefix   string
	ErrorTitle    string
	ErrAnswer     string // a required question without an answer
	ErrNothing    string // no answer at all
	ErrChoice     string
	ErrLengthf    string // number of characters
	ErrCharacters string
	ErrChanged    string // the form is of another time than the survey
	ErrUsed       string // the form was sent before with other answers
	ErrSaving     string
	ErrTooManyf   string // seconds

	Thanks, ThanksText, Receipt, ReceiptHelp, Another string

	Privacy        string
	PrivacyWhof    string // team
	PrivacyDay     string
	PrivacyDaysf   string // days
	PrivacyGroupsf string // size of the smallest group that is shown

	ClosedTitle, ClosedText           string
	NotFoundTitle, NotFoundText       string
	TooLargeTitle, TooLargeText       string
	TooManyTitle, TooManyTextf        string // seconds
	CannotReadTitle, CannotReadText   string
	UnavailableTitle, UnavailableText string
}

// allWords has English first: it stands in where a language has no words of its own.
var allWords = []words{english, spanish, german, french}

var wordsMatcher = newWordsMatcher()

func newWordsMatcher() language.Matcher {
	var tags []language.Tag
	for _, w := range allWords {
		tags = append(tags, language.MustParse(w.Tag))
	}
	return language.NewMatcher(tags)
}

// wordsFor returns the words for a page in the language.
func wordsFor(tag language.Tag) words {
	_, index, confidence := wordsMatcher.Match(tag)
	if confidence < language.High {
		return english
	}
	return allWords[index]
}

// kept says how long answers are kept.
func (w words) kept(days int32) string {
	if days == 1 {
		return w.PrivacyDay
	}
	return fmt.Sprintf(w.PrivacyDaysf, days)
}

var english = words{
	Tag:             "en",
	Languages:       "Language",
	AskedByf:        "Asked by %s",
	Aboutf:          "About: %s",
	Required:        "required",
	Optional:        "optional",
	ChooseAny:       "Choose all that apply.",
	AtMostf:         "At most %d characters.",
	Endsf:           "%d = %s, %d = %s",
	Send:            "Send answers",
	NPSLow:          "not at all likely",
	NPSHigh:         "extremely likely",
	CSATLow:         "very dissatisfied",
	CSATHigh:        "very satisfied",
	CESLow:          "very difficult",
	CESHigh:         "very easy",
	RatingLow:       "lowest rating",
	RatingHigh:      "highest rating",
	ErrorPrefix:     "Error:",
	ErrorTitle:      "Please check your answers",
	ErrAnswer:       "Please answer this question.",
	ErrNothing:      "Please answer at least one question.",
	ErrChoice:       "Please choose from the answers shown.",
	ErrLengthf:      "Please use at most %d characters.",
	ErrCharacters:   "Please use only letters, digits, punctuation and line breaks.",
	ErrChanged:      "The form has changed in the meantime. Please check your answers and send them again.",
	ErrUsed:         "This form was sent before, with other answers. To send these answers as well, send them again.",
	ErrSaving:       "Your answers could not be saved just now. Please send them again in a moment.",
	ErrTooManyf:     "Many answers are arriving from your connection. Please send yours again in %d seconds.",
	Thanks:          "Thank you",
	ThanksText:      "Your answers have been saved.",
	Receipt:         "Your receipt",
	ReceiptHelp:     "Keep this code if you may want to refer to your answers later.",
	Another:         "Start a new form",
	Privacy:         "Privacy",
	PrivacyWhof:     "%s asks these questions.",
	PrivacyDay:      "Your answers are kept for one day, then deleted.",
	PrivacyDaysf:    "Your answers are kept for %d days, then deleted.",
	PrivacyGroupsf:  "Results of groups with fewer than %d answers are never shown.",
	ClosedTitle:     "This survey is closed",
	ClosedText:      "It takes no more answers. Thank you for your interest.",
	NotFoundTitle:   "There is no survey at this address",
	NotFoundText:    "Please check the link that you followed.",
	TooLargeTitle:   "These answers are too long",
	TooLargeText:    "Please go back, shorten them and send them again.",
	TooManyTitle:    "Please wait a moment",
	TooManyTextf:    "Many requests are arriving from your connection. Please try again in %d seconds.",
	CannotReadTitle: "These answers cannot be read",
	CannotReadText:  "Please open the survey again and send its form.",

	UnavailableTitle: "The survey is not available now",
	UnavailableText:  "Please try again in a moment.",
}

var spanish = words{
	Tag:             "es",
	Languages:       "Idioma",
	AskedByf:        "Pregunta: %s",
	Aboutf:          "Sobre: %s",
	Required:        "obligatoria",
	Optional:        "opcional",
	ChooseAny:       "Elija todas las que correspondan.",
	AtMostf:         "Como máximo %d caracteres.",
	Endsf:           "%d = %s, %d = %s",
	Send:            "Enviar respuestas",
	NPSLow:          "nada probable",
	NPSHigh:         "sumamente probable",
	CSATLow:         "muy insatisfecho",
	CSATHigh:        "muy satisfecho",
	CESLow:          "muy difícil",
	CESHigh:         "muy fácil",
	RatingLow:       "la nota más baja",
	RatingHigh:      "la nota más alta",
	ErrorPrefix:     "Error:",
	ErrorTitle:      "Revise sus respuestas",
	ErrAnswer:       "Responda a esta pregunta.",
	ErrNothing:      "Responda al menos a una pregunta.",
	ErrChoice:       "Elija entre las respuestas que se muestran.",
	ErrLengthf:      "Use como máximo %d caracteres.",
	ErrCharacters:   "Use solo letras, cifras, signos de puntuación y saltos de línea.",
	ErrChanged:      "El formulario ha cambiado mientras tanto. Revise sus respuestas y envíelas de nuevo.",
	ErrUsed:         "Este formulario ya se envió con otras respuestas. Para enviar también estas, envíelas de nuevo.",
	ErrSaving:       "Sus respuestas no se han podido guardar. Envíelas de nuevo dentro de un momento.",
	ErrTooManyf:     "Están llegando muchas respuestas desde su conexión. Envíe las suyas de nuevo dentro de %d segundos.",
	Thanks:          "Gracias",
	ThanksText:      "Sus respuestas se han guardado.",
	Receipt:         "Su comprobante",
	ReceiptHelp:     "Guarde este código por si quiere referirse a sus respuestas más adelante.",
	Another:         "Empezar un formulario nuevo",
	Privacy:         "Privacidad",
	PrivacyWhof:     "Estas preguntas las hace %s.",
	PrivacyDay:      "Sus respuestas se conservan durante un día y después se borran.",
	PrivacyDaysf:    "Sus respuestas se conservan durante %d días y después se borran.",
	PrivacyGroupsf:  "Nunca se muestran resultados de grupos con menos de %d respuestas.",
	ClosedTitle:     "Esta encuesta está cerrada",
	ClosedText:      "Ya no admite respuestas. Gracias por su interés.",
	NotFoundTitle:   "No hay ninguna encuesta en esta dirección",
	NotFoundText:    "Compruebe el enlace que ha seguido.",
	TooLargeTitle:   "Estas respuestas son demasiado largas",
	TooLargeText:    "Vuelva atrás, acórtelas y envíelas de nuevo.",
	TooManyTitle:    "Espere un momento",
	TooManyTextf:    "Están llegando muchas peticiones desde su conexión. Inténtelo de nuevo dentro de %d segundos.",
	CannotReadTitle: "Estas respuestas no se pueden leer",
	CannotReadText:  "Abra la encuesta de nuevo y envíe su formulario.",

	UnavailableTitle: "La encuesta no está disponible en este momento",
	UnavailableText:  "Inténtelo de nuevo dentro de un momento.",
}

var german = words{
	Tag:             "de",
	Languages:       "Sprache",
	AskedByf:        "Gefragt von %s",
	Aboutf:          "Es geht um: %s",
	Required:        "erforderlich",
	Optional:        "freiwillig",
	ChooseAny:       "Wählen Sie alles, was zutrifft.",
	AtMostf:         "Höchstens %d Zeichen.",
	Endsf:           "%d = %s, %d = %s",
	Send:            "Antworten senden",
	NPSLow:          "sehr unwahrscheinlich",
	NPSHigh:         "sehr wahrscheinlich",
	CSATLow:         "sehr unzufrieden",
	CSATHigh:        "sehr zufrieden",
	CESLow:          "sehr schwierig",
	CESHigh:         "sehr einfach",
	RatingLow:       "niedrigste Bewertung",
	RatingHigh:      "höchste Bewertung",
	ErrorPrefix:     "Fehler:",
	ErrorTitle:      "Bitte prüfen Sie Ihre Antworten",
	ErrAnswer:       "Bitte beantworten Sie diese Frage.",
	ErrNothing:      "Bitte beantworten Sie mindestens eine Frage.",
	ErrChoice:       "Bitte wählen Sie aus den gezeigten Antworten.",
	ErrLengthf:      "Bitte verwenden Sie höchstens %d Zeichen.",
	ErrCharacters:   "Bitte verwenden Sie nur Buchstaben, Ziffern, Satzzeichen und Zeilenumbrüche.",
	ErrChanged:      "Das Formular hat sich inzwischen geändert. Bitte prüfen Sie Ihre Antworten und senden Sie sie erneut.",
	ErrUsed:         "Dieses Formular wurde schon mit anderen Antworten gesendet. Um auch diese zu senden, senden Sie sie erneut.",
	ErrSaving:       "Ihre Antworten konnten gerade nicht gespeichert werden. Bitte senden Sie sie gleich noch einmal.",
	ErrTooManyf:     "Von Ihrem Anschluss kommen gerade viele Antworten. Bitte senden Sie Ihre in %d Sekunden noch einmal.",
	Thanks:          "Vielen Dank",
	ThanksText:      "Ihre Antworten sind gespeichert.",
	Receipt:         "Ihr Beleg",
	ReceiptHelp:     "Bewahren Sie diesen Code auf, wenn Sie sich später auf Ihre Antworten beziehen möchten.",
	Another:         "Neues Formular beginnen",
	Privacy:         "Datenschutz",
	PrivacyWhof:     "Diese Fragen stellt %s.",
	PrivacyDay:      "Ihre Antworten werden einen Tag lang aufbewahrt und dann gelöscht.",
	PrivacyDaysf:    "Ihre Antworten werden %d Tage lang aufbewahrt und dann gelöscht.",
	PrivacyGroupsf:  "Ergebnisse von Gruppen mit weniger als %d Antworten werden nie gezeigt.",
	ClosedTitle:     "Diese Umfrage ist beendet",
	ClosedText:      "Sie nimmt keine Antworten mehr an. Vielen Dank für Ihr Interesse.",
	NotFoundTitle:   "Unter dieser Adresse gibt es keine Umfrage",
	NotFoundText:    "Bitte prüfen Sie den Link, dem Sie gefolgt sind.",
	TooLargeTitle:   "Diese Antworten sind zu lang",
	TooLargeText:    "Bitte gehen Sie zurück, kürzen Sie sie und senden Sie sie erneut.",
	TooManyTitle:    "Bitte warten Sie einen Moment",
	TooManyTextf:    "Von Ihrem Anschluss kommen gerade viele Anfragen. Bitte versuchen Sie es in %d Sekunden erneut.",
	CannotReadTitle: "Diese Antworten sind nicht lesbar",
	CannotReadText:  "Bitte öffnen Sie die Umfrage neu und senden Sie ihr Formular.",

	UnavailableTitle: "Die Umfrage ist gerade nicht erreichbar",
	UnavailableText:  "Bitte versuchen Sie es gleich noch einmal.",
}

var french = words{
	Tag:             "fr",
	Languages:       "Langue",
	AskedByf:        "Enquête de %s",
	Aboutf:          "Sujet : %s",
	Required:        "obligatoire",
	Optional:        "facultatif",
	ChooseAny:       "Choisissez toutes les réponses qui conviennent.",
	AtMostf:         "%d caractères au maximum.",
	Endsf:           "%d = %s, %d = %s",
	Send:            "Envoyer les réponses",
	NPSLow:          "pas du tout probable",
	NPSHigh:         "extrêmement probable",
	CSATLow:         "très insatisfait",
	CSATHigh:        "très satisfait",
	CESLow:          "très difficile",
	CESHigh:         "très facile",
	RatingLow:       "la note la plus basse",
	RatingHigh:      "la note la plus haute",
	ErrorPrefix:     "Erreur :",
	ErrorTitle:      "Veuillez vérifier vos réponses",
	ErrAnswer:       "Veuillez répondre à cette question.",
	ErrNothing:      "Veuillez répondre à une question au moins.",
	ErrChoice:       "Veuillez choisir parmi les réponses proposées.",
	ErrLengthf:      "Veuillez utiliser %d caractères au maximum.",
	ErrCharacters:   "Veuillez n’utiliser que des lettres, des chiffres, de la ponctuation et des retours à la ligne.",
	ErrChanged:      "Le formulaire a changé entre-temps. Veuillez vérifier vos réponses et les envoyer à nouveau.",
	ErrUsed:         "Ce formulaire a déjà été envoyé avec d’autres réponses. Pour envoyer aussi celles-ci, envoyez-les à nouveau.",
	ErrSaving:       "Vos réponses n’ont pas pu être enregistrées. Veuillez les envoyer à nouveau dans un instant.",
	ErrTooManyf:     "De nombreuses réponses arrivent de votre connexion. Veuillez envoyer les vôtres à nouveau dans %d secondes.",
	Thanks:          "Merci",
	ThanksText:      "Vos réponses sont enregistrées.",
	Receipt:         "Votre reçu",
	ReceiptHelp:     "Conservez ce code si vous souhaitez vous référer plus tard à vos réponses.",
	Another:         "Commencer un nouveau formulaire",
	Privacy:         "Confidentialité",
	PrivacyWhof:     "Ces questions sont posées par %s.",
	PrivacyDay:      "Vos réponses sont conservées un jour, puis supprimées.",
	PrivacyDaysf:    "Vos réponses sont conservées %d jours, puis supprimées.",
	PrivacyGroupsf:  "Les résultats de groupes de moins de %d réponses ne sont jamais montrés.",
	ClosedTitle:     "Cette enquête est terminée",
	ClosedText:      "Elle n’accepte plus de réponses. Merci de votre intérêt.",
	NotFoundTitle:   "Il n’y a pas d’enquête à cette adresse",
	NotFoundText:    "Veuillez vérifier le lien que vous avez suivi.",
	TooLargeTitle:   "Ces réponses sont trop longues",
	TooLargeText:    "Veuillez revenir en arrière, les raccourcir et les envoyer à nouveau.",
	TooManyTitle:    "Veuillez patienter un instant",
	TooManyTextf:    "De nombreuses requêtes arrivent de votre connexion. Veuillez réessayer dans %d secondes.",
	CannotReadTitle: "Ces réponses sont illisibles",
	CannotReadText:  "Veuillez rouvrir l’enquête et envoyer son formulaire.",

	UnavailableTitle: "L’enquête n’est pas disponible pour le moment",
	UnavailableText:  "Veuillez réessayer dans un instant.",
}
