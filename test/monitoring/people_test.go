package monitoring

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/test/testenv"
)

// noRedirect has a form's answer, 303, seen as it is.
var noRedirect = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// call makes a call and returns the status and body of its answer.
func (k *cluster) call(method, address, token, contentType, body string) (int, string, error) {
	request, err := http.NewRequestWithContext(k.Context(), method, address, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := noRedirect.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// send makes a call and returns the body of its answer, which must have the status.
func (k *cluster) send(want int, method, address, token, contentType, body string) string {
	k.Helper()
	status, text, err := k.call(method, address, token, contentType, body)
	if err != nil || status != want {
		k.Fatalf("%s %s: %d instead of %d: %.500s %v", method, address, status, want, text, err)
	}
	return text
}

func (k *cluster) api(namespace, program string) string {
	return k.url() + "/api/v1/namespaces/" + namespace + "/programs/" + program
}

// importAirport imports the answers that passengers gave in May 2017, as if the last were of yesterday.
func (k *cluster) importAirport() {
	k.Helper()
	file, err := os.Open(filepath.Join(testenv.Root(), "hack/demo/data/sfo-2017-counts.csv"))
	if err != nil {
		k.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		k.Fatal(err)
	}
	served := k.served()
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	for _, row := range rows[1:] { // day_of_may, boarding_area, question, score, count
		day, score, n := k.number(row[0]), k.number(row[3]), k.number(row[4])
		line := map[string]any{"answers": map[string]int{row[2]: score}, "submittedAt": time.Now().AddDate(0, 0, day-31).Format(time.RFC3339)}
		if touchpoint := served[row[2]]; touchpoint != "" {
			line["touchpoint"] = touchpoint
		}
		for range n {
			line["id"] = uuid.NewString()
			if err := encoder.Encode(line); err != nil {
				k.Fatal(err)
			}
		}
	}
	k.send(http.StatusOK, http.MethodPost, k.api(airportNamespace, airportProgram)+"/responses:import",
		k.secret(airportNamespace, airportProgram+"-tokens", "import"), "application/x-ndjson", lines.String())
}

func (k *cluster) number(text string) int {
	k.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		k.Fatal(err)
	}
	return n
}

// served tells which touchpoint of the airport asks a question.
func (k *cluster) served() map[string]string {
	k.Helper()
	var all v1alpha1.TouchpointList
	if err := k.c.List(k.Context(), &all, client.InNamespace(airportNamespace)); err != nil {
		k.Fatal(err)
	}
	served := map[string]string{}
	for _, tp := range all.Items {
		for _, q := range tp.Spec.Questions {
			served[q] = tp.Name
		}
	}
	return served
}

// importOrders imports so many answers to the shop's one question.
func (k *cluster) importOrders(n, score int) {
	k.Helper()
	var lines strings.Builder
	for range n {
		fmt.Fprintf(&lines, `{"id":%q,"answers":{"ease":%d}}`+"\n", uuid.NewString(), score)
	}
	k.send(http.StatusOK, http.MethodPost, k.api(shopNamespace, "orders")+"/responses:import",
		k.secret(shopNamespace, "orders-tokens", "import"), "application/x-ndjson", lines.String())
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)

// visit opens the page of a touchpoint and begins to fill it in; sent says whether it is sent, and robot whether by
// somebody who fills in what people do not see.
func (k *cluster) visit(touchpoint, question string, sent, robot bool) {
	k.Helper()
	base := k.url() + "/s/" + airportNamespace + "/" + airportProgram
	page := base + "/" + touchpoint
	form := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(k.send(http.StatusOK, http.MethodGet, page, "", "", ""), -1) {
		form.Set(m[1], m[2])
	}
	if form.Get("_id") == "" || form.Get("_form") == "" {
		k.Fatalf("the page has only %v", form)
	}
	told := url.Values{"_id": form["_id"], "_form": form["_form"], "_team": {""}, "touchpoint": {touchpoint}, "question": {question}}
	const encoded = "application/x-www-form-urlencoded"
	k.send(http.StatusNoContent, http.MethodPost, base+"/visits", "", encoded, told.Encode())
	if !sent {
		return
	}
	form.Set(question, "4")
	if robot {
		form.Set("_website", "https://example.com")
	}
	k.send(http.StatusSeeOther, http.MethodPost, page, "", encoded, form.Encode())
}

// invite asks somebody by a link, and returns its token; empty where the person is left alone.
func (k *cluster) invite(contact string) string {
	k.Helper()
	body := fmt.Sprintf(`{"id":%q,"contact":%q,"touchpoint":"food"}`, uuid.NewString(), contact)
	request := func() string {
		return k.sendAny(k.api(airportNamespace, airportProgram)+"/invitations", k.secret(airportNamespace, airportProgram+"-tokens", "sign"), body)
	}
	var made struct{ URL string }
	if err := json.Unmarshal([]byte(request()), &made); err != nil {
		k.Fatal(err)
	}
	link, err := url.Parse(made.URL)
	if err != nil {
		k.Fatal(err)
	}
	return link.Query().Get("invitation")
}

// sendAny posts JSON and returns what is answered with 200 or 201.
func (k *cluster) sendAny(address, token, body string) string {
	k.Helper()
	status, text, err := k.call(http.MethodPost, address, token, "application/json", body)
	if err != nil || status/100 != 2 {
		k.Fatalf("%s: %d %.500s %v", address, status, text, err)
	}
	return text
}

// customers do everything that is counted: they visit, answer, stop, are invited or left alone, are refused, and are robots.
func (k *cluster) customers() {
	k.Helper()
	for i := range 12 {
		k.visit("food", "food", true, false)
		if i%2 == 0 {
			k.visit("food", "food", false, false)
			k.visit("food", "food", true, true)
		}
	}
	answers := k.api(airportNamespace, airportProgram) + "/responses"
	for i := range 24 {
		contact := fmt.Sprintf("customer-%d", i)
		token := k.invite(contact)
		if token == "" {
			k.Fatalf("%s is left alone at once", contact)
		}
		if i%2 == 0 {
			k.send(http.StatusCreated, http.MethodPost, answers, "", "application/json",
				fmt.Sprintf(`{"id":%q,"invitation":%q,"answers":{"food":3}}`, uuid.NewString(), token))
		}
		if again := k.invite(contact); again != "" {
			k.Fatalf("%s is invited twice", contact)
		}
	}
	k.refused()
}

// refused sends an answer that is off its scale.
func (k *cluster) refused() {
	k.Helper()
	k.send(http.StatusUnprocessableEntity, http.MethodPost, k.api(airportNamespace, airportProgram)+"/responses", "", "application/json",
		fmt.Sprintf(`{"id":%q,"touchpoint":"food","answers":{"food":9}}`, uuid.NewString()))
}

// pay is one customer who opens a page and answers, and one who is refused: so that rates are not empty.
func (k *cluster) pay() {
	k.Helper()
	k.visit("food", "food", true, false)
	k.refused()
}
